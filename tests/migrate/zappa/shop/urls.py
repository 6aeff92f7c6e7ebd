from django.contrib import admin
from django.urls import path

from orders import views

urlpatterns = [
    path("orders/", views.orders),
    path("orders/<int:number>/", views.order),
    path("orders/<int:number>/label.png", views.label),
    path("orders/<int:number>/invoice/", views.invoice),
    path("whoami/", views.whoami),
    path("broken/", views.broken),
    path("admin/", admin.site.urls),
]
