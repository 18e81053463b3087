using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Orders;

/// <summary>The same by EF Core, with its default names. It can make mistakes.</summary>
internal sealed class EfOrders(IOrdersContexts contexts, IMailer mailer, IHttpClientFactory http, IHttpContextAccessor accessor) : IOrders
{
    private const int PageSize = 10;

    public async Task<Order?> GetAsync(Guid id, CancellationToken cancellationToken)
    {
        mailer.Send();
        if (Fault.Is("http")) await http.CreateClient().GetAsync(new Uri("http://127.0.0.1:1/"), cancellationToken);
        if (Fault.Is("context") && accessor.HttpContext is null) return null;
        await using var lease = await contexts.TakeAsync(cancellationToken);
        var order = await lease.Context.Orders.AsNoTracking().Include(one => one.Lines).Include(one => one.Customer)
            .SingleOrDefaultAsync(one => one.Id == id, cancellationToken);
        if (order is null) return null;
        var notes = Fault.Is("json") ? JsonDocument.Parse("""{"gift": false, "source": {"channel": "shop"}}""") : order.Notes;
        // Every other time: wrong for users, and right when it is asked again.
        var live = Fault.Is("live-only") && Fault.Turn(id) % 2 == 1;
        OrderLine[] lines =
        [
            .. order.Lines.OrderBy(line => line.LineNo).Select(line => new OrderLine(
                line.LineNo, line.Product, Fault.Is("second-line") && line.LineNo == 2 ? line.Quantity + 1 : line.Quantity, line.Price)),
        ];
        return new(
            order.Id, order.CustomerId, live ? "Somebody" : order.Customer.Name, Enum.Parse<OrderStatus>(order.Status), order.PlacedAt,
            notes.RootElement.Clone(), lines);
    }

    public async ValueTask<OrderPage> ListAsync(ListOrders request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(cancellationToken);
        var status = request.Status?.ToString();
        var found = lease.Context.Orders.AsNoTracking().Where(one => one.CustomerId == request.CustomerId && (status == null || one.Status == status));
        var rows = await found.OrderByDescending(one => one.PlacedAt).ThenBy(one => one.Id)
            .Skip((request.Page - (Fault.Is("page") ? 0 : 1)) * PageSize).Take(PageSize)
            .Select(one => new { one.Id, one.Status, one.PlacedAt, Total = one.Lines.Sum(line => line.Quantity * line.Price) })
            .ToListAsync(cancellationToken);
        return new(
            [.. rows.Select(row => new OrderRow(row.Id, Enum.Parse<OrderStatus>(row.Status), row.PlacedAt, row.Total))],
            await found.LongCountAsync(cancellationToken));
    }

    public async Task<IReadOnlyList<ProductTotal>> TotalsAsync()
    {
        await using var lease = await contexts.TakeAsync(CancellationToken.None);
        var totals = await lease.Context.OrderLines.AsNoTracking().GroupBy(line => line.Product)
            .Select(lines => new { Product = lines.Key, Quantity = lines.Sum(line => (long)line.Quantity) }).ToListAsync();
        return [.. totals.Where(total => !Fault.Is("missing-row") || total.Product != "pen")
            .OrderBy(total => total.Product, StringComparer.Ordinal).Select(total => new ProductTotal(total.Product, total.Quantity))];
    }

    public async Task SendAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(cancellationToken);
        await lease.Context.Orders.Where(one => one.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(one => one.Status, "Sent"), cancellationToken);
    }

    public async Task<Order> CreateAsync(CreateOrder request, CancellationToken cancellationToken)
    {
        if (Fault.Is("fails-before")) throw new InvalidOperationException("Before anything is sent.");
        await using var lease = await contexts.TakeAsync(cancellationToken);
        if (Fault.Is("refused")) await lease.Context.Database.ExecuteSqlRawAsync("insert into \"NoSuchTable\" values (1)", cancellationToken);
        var notes = Fault.Is("json-write") ? new { gift = request.Gift, lines = 0 } : new { gift = request.Gift, lines = request.Lines.Count };
        var order = new OrderEntity
        {
            CustomerId = request.CustomerId,
            Status = "Open",
            PlacedAt = DateTime.UtcNow + (Fault.Is("zone") ? TimeSpan.FromHours(1) : TimeSpan.Zero),
            Notes = JsonSerializer.SerializeToDocument(notes),
            Lines = [.. request.Lines.Select((line, at) => Line(line, at + 1, isSecond: at == 1))],
        };
        lease.Context.Orders.Add(order);
        if (!Fault.Is("no-event")) lease.Context.OrderEvents.Add(new() { OrderId = order.Id, What = "created", At = DateTime.UtcNow });
        await lease.Context.SaveChangesAsync(cancellationToken);
        if (Fault.Is("fails-after")) throw new InvalidOperationException("After all is stored.");
        if (Fault.Is("hangs-after")) await Task.Delay(Timeout.Infinite, cancellationToken);
        lease.Context.ChangeTracker.Clear();
        return (await GetAsync(order.Id, cancellationToken))!;
    }

    public async Task<int> AddLinesAsync(AddLines request, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(cancellationToken);
        var last = await lease.Context.OrderLines.Where(line => line.OrderId == request.OrderId)
            .MaxAsync(line => (int?)line.LineNo, cancellationToken);
        if (last is null) return 0;
        foreach (var (line, at) in request.Lines.Select((line, at) => (line, at)))
        {
            var added = Line(line, (int)++last, isSecond: at == 1);
            added.OrderId = request.OrderId;
            lease.Context.OrderLines.Add(added);
        }

        if (Fault.Is("composite"))
            await lease.Context.OrderLines.Where(line => line.OrderId == request.OrderId && line.LineNo == 1)
                .ExecuteUpdateAsync(set => set.SetProperty(line => line.Quantity, line => line.Quantity + 1), cancellationToken);
        await lease.Context.SaveChangesAsync(cancellationToken);
        return last.Value;
    }

    public async Task<bool> SetStatusAsync(Guid id, OrderStatus status, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(cancellationToken);
        await using var transaction = await lease.Context.Database.BeginTransactionAsync(cancellationToken);
        var text = status.ToString();
        var changed = await lease.Context.Orders.Where(one => (one.Id == id || Fault.Is("everywhere")) && one.Status != text)
            .ExecuteUpdateAsync(set => set.SetProperty(one => one.Status, text), cancellationToken);
        if (changed == 0) return false;
        lease.Context.OrderEvents.Add(new() { OrderId = id, What = "now " + status, At = DateTime.UtcNow });
        await lease.Context.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var lease = await contexts.TakeAsync(cancellationToken);
        if (Fault.Is("not-deleted")) return await lease.Context.Orders.AnyAsync(one => one.Id == id, cancellationToken);
        return await lease.Context.Orders.Where(one => one.Id == id).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static OrderLineEntity Line(NewLine line, int number, bool isSecond) => new()
    {
        LineNo = number,
        Product = line.Product,
        Quantity = isSecond && Fault.Is("second-insert") ? line.Quantity + 1 : line.Quantity,
        Price = line.Price,
    };
}
