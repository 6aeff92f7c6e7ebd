from zappa.asynchronous import task, task_sns

from orders.models import Order


@task
def print_invoice(number, copies=1):
    Order.objects.filter(pk=number).update(state=f"invoiced x{copies}")
    return copies


@task_sns
def archive(number):
    Order.objects.filter(pk=number).update(state="archived")
