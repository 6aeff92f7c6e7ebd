"""The admin, an API of Django REST framework, and the answer that all applications of the benchmark have."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path, re_path
from rest_framework import routers, serializers, viewsets

import answers

from .models import Product


class ProductSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ("id", "name", "price")


class ProductViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Product.objects.order_by("id")[: answers.PRODUCTS]
    serializer_class = ProductSerializer
    permission_classes = ()


router = routers.SimpleRouter(trailing_slash=False)
router.register("products", ProductViewSet)


def hello(request):
    return HttpResponse(answers.HELLO, content_type="application/json")


urlpatterns = [path("admin/", admin.site.urls), path("", include(router.urls)), re_path("", hello)]
