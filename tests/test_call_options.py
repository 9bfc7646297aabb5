"""The one table of the options of a call: parser, files, batches and --resume follow from it."""

import pytest

import neural_art
from nst.call_options import OPTIONS, names_with
from nst.errors import UserError
from nst.options import flag
from nst.values import known_name


def test_the_parser_has_each_option_with_its_help():
    actions = {action.dest: action for action in neural_art.make_parser()._actions}
    for name, option in OPTIONS.items():
        assert name in actions
        assert option.help in actions[name].help


def test_files_may_hold_the_options_in_files_and_no_others():
    for name in OPTIONS:
        if name in names_with("in_file"):
            assert known_name("art.toml", flag(name)[2:]) == name
        else:
            with pytest.raises(UserError, match=f"art.toml: {flag(name)[2:]}: there is no such key"):
                known_name("art.toml", flag(name)[2:])


def test_attributes_agree():
    for name, option in OPTIONS.items():
        assert option.kind in ("text", "texts", "number", "switch"), name
        assert option.batch in ("", "makes", "needs", "shares"), name
        assert option.in_file or not (option.sweepable or option.same_for_batch), name
        assert not (option.prints and option.in_file), name
