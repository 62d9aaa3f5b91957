"""Operations: a view and its types, by which requests are read, answers are given, and both are described."""
