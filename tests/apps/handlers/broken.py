def app(
    pass
