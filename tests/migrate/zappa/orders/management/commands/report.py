import sys

from django.core.management.base import BaseCommand, CommandError

from orders.models import Order


class Command(BaseCommand):
    help = "Counts the orders."

    def add_arguments(self, parser):
        parser.add_argument("--state")

    def handle(self, *args, state=None, **options):
        found = Order.objects.filter(state=state) if state else Order.objects.all()
        if not found:
            raise CommandError("there are no orders")
        self.stdout.write(f"{found.count()} orders")
        print("counted", file=sys.stderr)
