"""The engines that run models, each behind the protocols in ``models.base``."""
