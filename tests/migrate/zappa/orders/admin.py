from django.contrib import admin

from orders.models import Note, Order

admin.site.register([Order, Note])
