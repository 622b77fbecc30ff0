from test_course import backward_with_two_bugs, exercise, forward_propagation_n


def test_network(gradcheck):
    gradcheck(forward_propagation_n, backward_with_two_bugs, *exercise(), wrt="parameters")
