"""How votes are weighed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from btc_signal.voters import weighted_vote


def test_weighted_vote():
    """Each row's vote is the weighted mean of its members' probabilities."""
    # 0.4 * 0.5 + 0.4 * 0.25 + 0.2 * 1 = 0.5; 0.4 * 1 = 0.4
    probabilities = np.array([[0.5, 0.25, 1.0], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(weighted_vote(probabilities, [0.4, 0.4, 0.2]), [0.5, 0.4])


def test_as_many_weights_as_members():
    """A weight too many or too few is an error."""
    with pytest.raises(ValueError, match="argument"):
        weighted_vote(np.ones((2, 3)), [0.5, 0.5])


@settings(derandomize=True, deadline=None, max_examples=100)
@given(arrays(float, (5, 3), elements=st.floats(0, 1)))
def test_range(probabilities):
    """A vote lies between the least and the greatest of its members, and never outside 0 to 1."""
    vote = weighted_vote(probabilities, [0.3, 0.3, 0.4])
    assert (vote >= probabilities.min(axis=1) - 1e-12).all()
    assert (vote <= probabilities.max(axis=1) + 1e-12).all()
    assert ((vote >= 0) & (vote <= 1)).all()
