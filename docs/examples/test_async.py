"""Coroutine tests that use the fixture."""

import asyncio

import numpy as np
import pytest


@pytest.mark.asyncio
async def test_after_waiting(gradcheck):
    await asyncio.sleep(0)
    gradcheck(lambda x: np.sqrt(x).sum(), lambda x: 0.5 / np.sqrt(x), np.array([0.5, 2.0]))
