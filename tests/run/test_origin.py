"""The earlier run that a run resumes or repeats, and its warnings."""

from nst.run.origin import Origin
from nst.run.record import read_record


def test_a_record_of_other_versions_adds_a_warning(record):
    path = record(versions={"neural_art": "0.0.1", "tensorflow": "2.17.0"})
    assert Origin().all_warnings() == []
    told, versions = Origin(read_record(path), warnings=("told",)).all_warnings()
    assert told == "told"
    assert "made with neural_art 0.0.1" in versions
