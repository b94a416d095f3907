"""What the generated tables say about names that their registries don't describe."""

#: Kinds of classes, in the order of the reference.
KINDS = {
    "generator": "generator",
    "model": "model",
    "acquisition": "acquisition function",
    "objective": "objective",
    "factory": "factory of mean and covariance",
    "likelihood": "likelihood",
    "kernel": "kernel",
    "mean": "mean",
    "allocator": "allocator of inducing points",
}

#: Keys (`owner.key` where a name means something else elsewhere) and classes.
KEYS = {
    # [common]
    "parnames": "the parameters' names, in the order of columns",
    "outcome_types": "`binary`, `continuous` or `ordinal`, one for each outcome",
    "outcome_names": "the outcomes' names; `outcome_1` and so on if not given",
    "strategy_names": "the stages' names, in order; each has a section",
    "stimuli_per_trial": "2 where two stimuli are compared; outcome 1 means that the second is preferred",
    "lb": "older style: the parameters' lower bounds, where they have no section of their own",
    "ub": "older style: their upper bounds",
    "common.target": "the target of acquisition functions that name none",
    "common.seed": "seed of everything that is drawn, unless setup, stage or generator give another",
    "outcome_type": "older spelling of `outcome_types`",
    "extensions": "local files with [plug-ins](../how-to/write-a-plug-in.md), in the folder of"
    " `--allow-extensions`",
    # stages
    "generator": "where the points come from; `auto`, or none, takes the best for outcome and dimension",
    "model": "what is fitted to the outcomes",
    "min_asks": "points to hand out in this stage",
    "min_total_tells": "outcomes to have, those of earlier stages included",
    "min_total_outcome_occurrences": "how often each binary value must have come; 1 if not given",
    "max_asks": "the stage ends after this many points, whatever else holds",
    "refit_every": "hyperparameters are fitted anew when the number of asks is a multiple of this",
    "keep_most_recent": "the model sees this many of the latest trials only",
    "min_post_range": "range of predictions that must be reached for the stage to end",
    "log_post_var": "also records the greatest posterior variance at every ask",
    "run_indefinitely": "the stage ends only when `finish_strategy` is sent",
    "stage.seed": "seed of this stage",
    "seed_data_conditions": "a section that says which earlier sessions warm the model"
    " ([warm start](../how-to/warm-start.md))",
    "speculate": "compute the next ask while an outcome is awaited, where the server does that",
    "deadline_ms": "an ask is answered this long after its receipt at the latest, by the best until then",
    "n_trials": "older spelling of `min_asks`",
    "stage.acqf": "older place of the generator's `acqf`",
    # generators
    "SobolGenerator": "fills the space evenly (scrambled Sobol sequence).",
    "RandomGenerator": "draws points at random, uniformly.",
    "ManualGenerator": "hands out the points of a list.",
    "OptimizeAcqfGenerator": "hands out the point at which an acquisition function is greatest.",
    "SampleAroundPointsGenerator": "hands out random points around those of a list.",
    "MixedOptimizeAcqfGenerator": "the same: where parameters have levels, both choose among them.",
    "AcqfGridSearchGenerator": "hands out the best of a set of points that fills the space (Sobol).",
    "AcqfThompsonSamplerGenerator": "draws from such a set, each point in proportion to what its value is"
    " above the least one.",
    "EpsilonGreedyGenerator": "hands out a random point now and then, else its subgenerator's.",
    "subgenerator": "one that follows an acquisition function; `OptimizeAcqfGenerator` if not given",
    "epsilon": "the probability of a random point",
    "window": "how far to either side samples go, in the parameters' units: a number for each parameter",
    "samples_per_point": "samples for each point",
    "seed": "its own seed",
    "points": "a list with a list for each point: a value for each parameter, in the order of `parnames`",
    "shuffle": "whether the points come in random order",
    "acqf": "what is optimised",
    "IntensityAwareSemiPGenerator": "of semi-parametric models: chooses the context, then the intensity.",
    "context_objective": "what is to be known at every context; `SemiPThresholdObjective` if not given",
    "IntensityAwareSemiPGenerator.acqf": "what chooses the intensity; `BernoulliMCMutualInformation` if not"
    " given",
    "MonotonicThompsonSamplerGenerator": "draws a curve from the posterior and hands out where it crosses the"
    " target; `n_samples` and `n_rejection_samples` are accepted, without effect.",
    "num_ts_points": "places at which it is drawn",
    "target_value": "the target, a probability",
    "MonotonicThompsonSamplerGenerator.objective": "whose probability is meant; the model's own if not given",
    "restarts": "how many of the scan's best points are refined",
    "samps": "points of the scan",
    "max_gen_time": "seconds; becomes a number of evaluations at a nominal rate, so that replays agree",
    "IndependentOptimizeAcqfGenerator": "of several outcomes: each one's generator in its turn.",
    "generators": "an `OptimizeAcqfGenerator`, or an alias, for each outcome; the best ones if not given",
    # models
    "GPClassificationModel": "a Gaussian process behind a probit link, for binary outcomes.",
    "GPRegressionModel": "a Gaussian process with Gaussian noise, for continuous outcomes.",
    "OrdinalGPModel": "a Gaussian process behind a cumulative probit with cut-points, for levels in order.",
    "MonotonicProjectionGP": "the same, with a probability that grows with some of the parameters.",
    "monotonic_dims": "the parameters it grows with: names, or places (from 0; -1, the last, if not given)",
    "monotonic_idxs": "older spelling of `monotonic_dims`",
    "monotonic_grid_size": "virtual places where the slope is positive; thrice as many in several dimensions",
    "min_f_val": "the latent function stays above it (softly), for instance 0 where p is 0.5 at least",
    "SemiParametricGPModel": "psychometric curves whose slope and offset vary with the other parameters.",
    "HadamardSemiPModel": "the same, as one Gaussian process in place of the product of two.",
    "SemiParametricGPModel.stim_dim": "the intensity: a name, or a place; the first parameter if not given",
    "HadamardSemiPModel.stim_dim": "the intensity: a name, or a place; the first parameter if not given",
    "slope_mean": "how far the latent function rises over the intensity's whole range, beforehand (a median)",
    "IndependentGPsModel": "of several outcomes: a model of its own for each.",
    "models": "names or aliases, one for each outcome, in order; the best for each outcome type if not given",
    "PairwiseProbitModel": "a Gaussian process of utilities behind comparisons of two stimuli.",
    "floor": "guess rate: the probability of a 1 without perception (1/m with m alternatives)",
    "lapse": "lapse rate: the probability of a 0 in spite of perception; `estimate` finds it out, from a"
    " Beta(2, 50) on",
    "constraint_locations": "points at which the probability is known beforehand: a list of lists",
    "constraint_values": "the probability at each of them, or one for all",
    "constraint_strengths": "how unsure that is: variances of f; (0.2 v + 0.1)^2 at v if not given",
    "constraint_factory": "a section with boxes in which it is known: `constraint_lower` and"
    " `constraint_upper` (a corner, or a list of them), `constraint_values`, `constraint_strengths` (one"
    " for each box, or for all) and `points_per_dim` (10; fewer where a box would have more than 256 points)",
    "inducing_size": "accepted; the model is exact, so it has no effect",
    "inducing_point_method": "accepted; the model is exact, so it has no effect",
    "mean_covar_factory": "whose priors to use; Fechner's own if not given",
    "likelihood": "the outcome type's own, or `FixedNoiseGaussianLikelihood`",
    "mean_module": "the prior mean; of `GPClassificationModel`, `GPRegressionModel` and `OrdinalGPModel`, the"
    " first without constraint points or an unknown lapse rate. A fitted constant where a `covar_module` is"
    " named, else Fechner's own if not given",
    "covar_module": "the kernel, of the same models; of unit amplitude without a `ScaleKernel`. Fechner's own"
    " if not given",
    "max_fit_time": "seconds; becomes a number of evaluations at a nominal rate, so that replays agree",
    "use_gpu": "scans of candidates that take a core a second or more run on a GPU (CUDA, by PyTorch) where"
    " there is one, with the same answer; fits run on the processor",
    "maxcor": "accepted for older files; the optimiser (BFGS) keeps all it has learned",
    "ftol": "of the optimiser: a step that promises less, per bit of data, ends a fit",
    "gtol": "accepted for older files; see `ftol`",
    "maxfun": "of the optimiser: most evaluations",
    "maxiter": "of the optimiser: most iterations",
    "maxls": "accepted for older files",
    # acquisition functions
    "MCLevelSetEstimation": "straddle (Bryan et al. 2005): where the target may lie and least is known.",
    "EAVC": "expected absolute volume change (Letham et al. 2022): where an answer moves most.",
    "qLogNoisyExpectedImprovement": "BoTorch's: where the outcome may be higher than anywhere so far.",
    "qNoisyExpectedImprovement": "the same; of pairs, two stimuli that may be better than any so far.",
    "AnalyticExpectedUtilityOfBestOption": "EUBO (Lin et al. 2022): the pair whose better one promises most.",
    "PairwiseMCPosteriorVariance": "the pair whose probability of preference is least known.",
    "MOCU": "mean objective cost of uncertainty (Zhao et al. 2021): as few wrong predictions as can be.",
    "SMOCU": "the same with a soft count, which also looks farther ahead.",
    "BEMPS": "the best expected Brier score of predictions (Tan et al. 2021).",
    "k": "how hard the soft count is",
    "UpperConfidenceBound": "mean of f and sqrt(beta) standard deviations.",
    "qUpperConfidenceBound": "the same, point after point.",
    "qLowerConfidenceBound": "mean of f less sqrt(beta) standard deviations.",
    "PosteriorMean": "the mean of f.",
    "qSimpleRegret": "the same, point after point.",
    "PosteriorStandardDeviation": "the standard deviation of f.",
    "qPosteriorStandardDeviation": "the same, point after point.",
    "ExpectedImprovement": "how much higher than `best_f` f is expected to be, 0 where it is lower.",
    "LogExpectedImprovement": "its logarithm.",
    "qExpectedImprovement": "the same, point after point.",
    "qLogExpectedImprovement": "its logarithm, point after point.",
    "NoisyExpectedImprovement": "`qLogNoisyExpectedImprovement`.",
    "LogNoisyExpectedImprovement": "`qLogNoisyExpectedImprovement`.",
    "ProbabilityOfImprovement": "the probability that f is above `best_f`.",
    "qProbabilityOfImprovement": "the same, point after point; `tau` is accepted, without effect.",
    "qAnalyticProbabilityOfImprovement": "the same, point after point.",
    "qKnowledgeGradient": "how much an outcome is expected to raise the highest prediction, over"
    " `candidate_set` points, those of the trials and the point itself; `current_value` is"
    " accepted, without effect.",
    "qNegIntegratedPosteriorVariance": "how little an outcome leaves unknown about f, on average.",
    "qMaxValueEntropy": "what an outcome tells about the highest f (Wang & Jegelka 2017; Takeno et al. 2020),"
    " an integral here, not samples: `num_y_samples` and `num_fantasies` are accepted, without effect.",
    "qLowerBoundMaxValueEntropy": "a bound of it (GIBBON: Moss et al. 2021).",
    "qBayesianActiveLearningByDisagreement": "what an outcome tells about the model's hyperparameters;"
    " nothing beyond 400 trials.",
    "qExpectedUtilityOfBestOption": "`AnalyticExpectedUtilityOfBestOption`.",
    "PairwiseBayesianActiveLearningByDisagreement": "the pair whose answer tells most about the utility.",
    "candidate_set": "how many points (Sobol) the highest f is looked for at, beside the trials'",
    "num_fantasies": "quantiles of the outcome that is looked ahead at",
    "num_mv_samples": "samples of the highest f",
    "use_gumbel": "whether they come from a Gumbel distribution, not from joint samples of f",
    "mc_points": "how many points (Sobol) the average is over",
    "ExpectedHypervolumeImprovement": "of several continuous outcomes, all of which should be high: by how"
    " much the volume between `ref_point` and the best trade-offs so far is expected to grow.",
    "qExpectedHypervolumeImprovement": "the same, from samples; `objective` can turn an outcome"
    " round. `eta` and `fat`, which belong to constraints, are accepted, without effect.",
    "qLogExpectedHypervolumeImprovement": "its logarithm, which is easier to climb.",
    "qNoisyExpectedHypervolumeImprovement": "the same where the trials' true outcomes aren't known either.",
    "qLogNoisyExpectedHypervolumeImprovement": "its logarithm: the one to take.",
    "ConstrainedExpectedImprovement": "of several continuous outcomes: how much higher one of them is"
    " expected to be, times the probability that others are in bounds.",
    "ref_point": "a value for each outcome that is just not worth having (after `weights`)",
    "mc_samples": "samples of the outcomes",
    "prune_baseline": "whether trials that can't be among the best are left out of account",
    "alpha": "how roughly the volume may be divided up, to save time",
    "tau_relu": "how smooth the improvement is; BoTorch's own value if not given",
    "tau_max": "how smooth the maximum is; BoTorch's own value if not given",
    "objective_index": "the outcome that should be high (from 0)",
    "constraints": "a list of [outcome (from 0), lower, upper bound], None for no bound: `[[1, None, 0.5]]`",
    "WeightedMCMultiOutputObjective": "each outcome times its weight; -1 where low is good.",
    "IdentityMCMultiOutputObjective": "the outcomes as they are.",
    "best_f": "the f to improve upon; the highest posterior mean at a trial so far if not given",
    "maximize": "whether the highest f is sought, not the lowest",
    "target": "the level sought: a probability for `EAVC`, and for others with `ProbitObjective`",
    "beta": "weight of what is not known: sqrt(beta) standard deviations",
    "objective": "`ProbitObjective` looks at probabilities; without one, at the latent function",
    "query_set_size": "points over which the change is summed",
    "lookahead_type": "what is looked ahead at: the set below the target, or outcomes (`posterior`)",
    # parts
    "AffinePosteriorTransform": "a weighted sum of several outcomes' latent values.",
    "weights": "a number for each outcome, in order",
    "OrdinalLikelihood": "the cumulative probit of `OrdinalGPModel`.",
    "n_levels": "of ordinal outcomes, which are the whole numbers from 0 to `n_levels` - 1",
    "MixedMeanCovarFactory": "the same priors, beside a kernel of categories.",
    "discrete_kernel": "the kernel of categories; `CategoricalKernel`, the only one, is used anyway",
    "CategoricalKernel": "of categorical parameters: all categories are equally alike.",
    "SemiPProbabilityObjective": "the same, beside semi-parametric models.",
    "SemiPThresholdObjective": "the threshold of a semi-parametric model's intensity, at every context; goes"
    " with `MCPosteriorVariance`.",
    "SemiPThresholdObjective.target": "the probability whose threshold is meant",
    "ProbitObjective": "the probability of outcome 1.",
    "FloorProbitObjective": "floor + (1 - floor) times the normal distribution function of f.",
    "FloorLogitObjective": "floor + (1 - floor) times the logistic function of f.",
    "FloorGumbelObjective": "floor + (1 - floor) (1 - exp(-exp f)): Weibull's function of a logarithm.",
    "FloorProbitObjective.floor": "the objective's own guess rate, whatever the model's",
    "FloorLogitObjective.floor": "the same",
    "FloorGumbelObjective.floor": "the same",
    "DefaultMeanCovarFactory": "the priors that AEPsych users know, in place of Fechner's own.",
    "PairwiseMeanCovarFactory": "the same priors for utilities, whose mean is not identified.",
    "SongMeanCovarFactory": "the linear-additive audiometric kernel (Song et al. 2015, 2017): f is linear in"
    " the intensity, and shifted smoothly along the other parameters.",
    "SongMeanCovarFactory.target": "accepted, without effect",
    "stim_dim": "the intensity: a name, or a place (from 0; -1, the last, if not given)",
    "intensity_RBF": "whether f may also bend along the intensity",
    "shared_dims": "parameters (names, or places from 0) that both stimuli of a pair have in common",
    "zero_mean": "a prior mean of zero; fitted otherwise",
    "DefaultMeanCovarFactory.target": "accepted, without effect",
    "cov_kernel": "the kernel, of the models that take a `covar_module`",
    "active_dims": "the parameters that are seen: names, or places from 0; all if not given",
    "LinearBernoulliLikelihood": "that of `SemiParametricGPModel`: the probit of slope times (intensity +"
    " offset).",
    "FixedNoiseGaussianLikelihood": "Gaussian noise whose variance is known.",
    "noise": "the variance of a single outcome's noise, in the outcome's units squared",
    "RBFKernel": "exp(-r²/2): the smoothest; Fechner's own. r is the distance, each parameter in its own"
    " length scales, so `ard_num_dims` is accepted, without effect.",
    "MaternKernel": "Matérn's, of functions as smooth as `nu` says.",
    "nu": "0.5 (continuous), 1.5 (once differentiable) or 2.5 (twice)",
    "RQKernel": "a rational quadratic: smooth on several scales at once.",
    "PeriodicKernel": "repeats itself along each parameter; periods are fitted, in units of the range.",
    "CosineKernel": "a single wave along a single parameter (`active_dims`), where alone it is a covariance.",
    "LinearKernel": "straight through zero at the parameters' lower bounds, with a fitted variance.",
    "PolynomialKernel": "polynomials up to the degree `power`.",
    "power": "the degree",
    "ScaleKernel": "`base_kernel` with a fitted output scale.",
    "base_kernel": "a kernel, or an alias",
    "AdditiveKernel": "a sum of kernels.",
    "ProductKernel": "a product of kernels.",
    "kernels": "two or more kernels or aliases, each with its own `active_dims` and, as `ScaleKernel`,"
    " its own output scale",
    "ConstantMean": "a constant, which is fitted.",
    "ZeroMean": "zero; of continuous outcomes, their average.",
    "LinearMean": "a constant and a slope along each parameter, which are integrated out;"
    " `input_size` is accepted, without effect.",
    "lengthscale_prior": "prior of the length scales",
    "ls_loc": "location of a log-normal one, before it is scaled with the dimension",
    "ls_scale": "scale of a log-normal one",
    "fixed_kernel_amplitude": "whether the output scale is 1; given a prior otherwise",
    "outputscale_prior": "prior of the output scale",
}  # fmt: skip

PARAMETER_TYPE_NOTES = {
    "continuous": "`scale = log` searches the logarithm of the value. `log_scale = True`, AEPsych's key, does"
    " so after adding 1 where the lower bound is below 1 (and its size as well where it is negative)."
    " `step` is the display's resolution: asks are multiples of it from `lower_bound` on (`fixed` values and"
    " listed points as they are given); tells may be any value between the bounds",
    "integer": "whole numbers. With `step`, asks take every `step`-th of them",
    "binary": "0 and 1",
    "discrete": "`values` are two or more numbers; models see them in order, equally far apart",
    "categorical": "`choices` are texts, in any order: to models all are equally alike, and how much is"
    " learned from the outcomes; `rank` is accepted, without effect",
    "fixed": "a number or text that every trial has",
}

TABLES = {
    "messages": "every request that belongs to a session, with its reply, as they were sent; append-only. "
    "`change` is what it did to the session, `hash` covers the row and the hash before it.",
    "sessions": "one row for each session. `environment_json` says what computed it last: library versions, "
    "threads, processor.",
    "strategies": "one row for each setup: names, configuration, seed.",
    "trials": "one row for each trial, numbered from 1 in its session. `asked_seq`, `told_seq` and "
    "`corrected_seq` name the messages that asked, closed and last corrected it.",
    "trial_parameters": "one row for each trial, stimulus and parameter: `number`, or `text`.",
    "trial_outcomes": "one row for each trial and outcome.",
    "forgotten": "one row for each session that `fechner forget` removed: when, how many messages it had, "
    "the hash of its last message, and why.",
    "origins": "where sessions came from that another file brought, and when. `hash` is the hash of their "
    "last message there, or that of the file if AEPsych wrote it.",
}

VIEWS = {
    "v_trials": "one row for each trial, with the names of its strategy. `parameters` and `outcomes` are "
    "JSON objects by name (a list of two where a trial has two stimuli); `outcomes` is null while there is "
    "none. SQLite may write a number's last digit one off; the tables have it to the last bit.",
    "v_sessions": "one row for each session, with the names of its newest strategy and its trials counted.",
}
