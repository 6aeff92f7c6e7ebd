from django.db import models


class Product(models.Model):
    name = models.TextField()
    price = models.IntegerField()

    class Meta:
        db_table = "product"
        managed = False
