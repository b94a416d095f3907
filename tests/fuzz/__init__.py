"""Fuzzing of everything that reads what somebody else wrote.

A harness (`harness`) takes bytes, gives them to one parser and raises if a promise is broken: an error that
is not documented, an answer that differs by how the bytes were cut, or from what Python's own json module
says, code that is run, a reply that doesn't come. `streams` has the splitter and JSON text, `dialects` each
wire version's requests, parsed, rendered and put to an engine, `configs` configurations, `dumps` states,
`foreign` pickles and AEPsych's files. `mutate` changes examples: bits, slices, tokens, nesting, huge numbers,
halves of surrogate pairs; of JSON also values and keys. `run` in `harness` does so many times and measures
each case.

`corpus/PARSER/` holds the examples it begins with and every input that once broke something (`found-…`);
`test_corpus` replays it all. `python benchmarks/fuzz.py --parser all --cases 1000000 --seed 0` goes on for as
long as one likes; with `--guided` and atheris installed, the coverage of the product's code leads.
"""
