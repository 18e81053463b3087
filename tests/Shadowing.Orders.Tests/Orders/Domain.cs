using System.Collections.Concurrent;
using System.Text.Json;

namespace Orders;

internal enum OrderStatus
{
    Open,
    Paid,
    Sent,
}

internal sealed record OrderLine(int LineNo, string Product, int Quantity, decimal Price);

internal sealed record Order(
    Guid Id, int CustomerId, string CustomerName, OrderStatus Status, DateTime PlacedAt, JsonElement Notes, IReadOnlyList<OrderLine> Lines);

internal sealed record OrderRow(Guid Id, OrderStatus Status, DateTime PlacedAt, decimal Total);

internal sealed record ListOrders(int CustomerId, OrderStatus? Status, int Page);

internal sealed record OrderPage(IReadOnlyList<OrderRow> Orders, long Total);

internal sealed record NewLine(string Product, int Quantity, decimal Price);

internal sealed record CreateOrder(int CustomerId, bool Gift, IReadOnlyList<NewLine> Lines);

internal sealed record AddLines(Guid OrderId, IReadOnlyList<NewLine> Lines);

internal sealed record ProductTotal(string Product, long Quantity);

/// <summary>As such a service has it: not public, a method with plain parameters, one with an object, one with neither token nor parameter.</summary>
internal interface IOrders
{
    Task<Order?> GetAsync(Guid id, CancellationToken cancellationToken);

    ValueTask<OrderPage> ListAsync(ListOrders request, CancellationToken cancellationToken = default);

    Task<IReadOnlyList<ProductTotal>> TotalsAsync();

    Task SendAsync(Guid id, CancellationToken cancellationToken);

    Task<Order> CreateAsync(CreateOrder request, CancellationToken cancellationToken);

    Task<int> AddLinesAsync(AddLines request, CancellationToken cancellationToken);

    Task<bool> SetStatusAsync(Guid id, OrderStatus status, CancellationToken cancellationToken);

    Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken);
}

internal sealed class Mailbox
{
    private int _sent;

    public int Sent => _sent;

    public void Send() => Interlocked.Increment(ref _sent);
}

internal interface IMailer
{
    void Send();
}

internal sealed class Mailer(Mailbox box) : IMailer
{
    public void Send() => box.Send();
}

internal sealed class SilentMailer : IMailer
{
    public void Send()
    {
    }
}

/// <summary>The mistake that the candidate makes at the moment.</summary>
internal static class Fault
{
    public static volatile string Planted = "";

    private static readonly ConcurrentDictionary<Guid, int> Turns = [];

    public static int Turn(Guid id) => Turns.AddOrUpdate(id, 1, static (_, turn) => turn + 1);

    public static bool Is(string name) => Planted == name;
}
