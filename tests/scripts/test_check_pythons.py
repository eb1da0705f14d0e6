"""scripts/check_pythons.py runs tests that there are, on versions that the package names."""
import check_pythons


def test_its_tests_exist():
    for place in (*check_pythons.TESTS, *check_pythons.KERNELS):
        path, _, name = place.partition('::')
        assert (check_pythons.ROOT / path).exists(), place
        assert f'def {name}' in (check_pythons.ROOT / path).read_text(encoding='utf-8') if name else True, place


def test_each_python_has_its_oldest_numba():
    assert set(check_pythons.OLDEST_NUMBA) == set(check_pythons.WANTED)


def test_pythons_are_looked_for_where_the_user_has_no_home(monkeypatch):
    def nobody(_):
        raise KeyError

    monkeypatch.delenv('HOME', raising=False)
    monkeypatch.setattr('pwd.getpwuid', nobody)
    list(check_pythons.candidates('3.11'))
