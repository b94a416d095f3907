"""Fechner's packages: the folders at the top are the package (``fechner.server`` is ``server/``)."""

from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = ("server", "strategies", "database")

packages = [
    f"fechner.{folder}{'.' + sub if sub else ''}"
    for folder in FOLDERS
    for sub in ["", *find_packages(folder)]
]

setup(
    name="fechner",
    version="0.1.0",
    description="An ask/tell optimisation server for adaptive experiments",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=packages,
    package_dir={f"fechner.{folder}": folder for folder in FOLDERS},
    package_data={f"fechner.{folder}": ["py.typed"] for folder in FOLDERS},
    install_requires=[
        "alembic>=1.13",
        "botorch>=0.14",
        "gpytorch>=1.14",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "pandas>=2.2",
        "prometheus-client>=0.20",
        "pydantic>=2.7",
        "pyzmq>=26",
        "rich>=13",
        "scipy>=1.15",
        "sqlalchemy>=2.0.30",
        "threadpoolctl>=3.5",
        "torch>=2.4",
        "typer>=0.12",
    ],
    extras_require={
        "parquet": ["pyarrow>=17"],
        "postgres": ["psycopg[binary]>=3.2"],
        "dev": [
            "build>=1.2",
            "hypothesis>=6.100",
            "mpmath>=1.3",
            "mypy>=1.10",
            "pandas-stubs",
            "pyarrow>=17",
            "psycopg[binary]>=3.2",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.5",
            "ruff>=0.5",
            "trustme>=1.2",
        ],
    },
    entry_points={"console_scripts": ["fechner = fechner.server.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Intended Audience :: Science/Research",
        "Topic :: Scientific/Engineering",
    ],
)
