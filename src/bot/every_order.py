"""All orders, each in the table of `orders`, wherever its function stands."""

from bot import attention as attention
from bot import whoami as whoami
from bot.orders import ORDERS as ORDERS
from bot.orders import carry_out as carry_out
