using System.Text.Json;
using Dapper;
using Npgsql;

namespace Orders;

/// <summary>The hand-written SQL, as it always was.</summary>
internal sealed class SqlOrders(NpgsqlConnection connection, IMailer mailer) : IOrders
{
    private const int PageSize = 10;

    public async Task<Order?> GetAsync(Guid id, CancellationToken cancellationToken)
    {
        mailer.Send();
        var head = await connection.QueryFirstOrDefaultAsync<Head>(new CommandDefinition(
            """
            select o."Id", o."CustomerId", c."Name" as "CustomerName", o."Status", o."PlacedAt", o."Notes"::text as "Notes"
            from "Orders" o join "Customers" c on c."Id" = o."CustomerId" where o."Id" = @id
            """, new { id }, cancellationToken: cancellationToken));
        if (head is null) return null;
        var lines = await connection.QueryAsync<OrderLine>(new CommandDefinition(
            """select "LineNo", "Product", "Quantity", "Price" from "OrderLines" where "OrderId" = @id order by "LineNo" """,
            new { id }, cancellationToken: cancellationToken));
        return new(
            head.Id, head.CustomerId, head.CustomerName, Enum.Parse<OrderStatus>(head.Status), head.PlacedAt,
            JsonDocument.Parse(head.Notes).RootElement, [.. lines]);
    }

    public async ValueTask<OrderPage> ListAsync(ListOrders request, CancellationToken cancellationToken)
    {
        var values = new
        {
            customer = request.CustomerId, status = request.Status?.ToString(), offset = (request.Page - 1) * PageSize, limit = PageSize,
        };
        var rows = await connection.QueryAsync<Row>(new CommandDefinition(
            """
            select o."Id", o."Status", o."PlacedAt",
                coalesce((select sum(l."Quantity" * l."Price") from "OrderLines" l where l."OrderId" = o."Id"), 0) as "Total"
            from "Orders" o where o."CustomerId" = @customer and (@status is null or o."Status" = @status)
            order by o."PlacedAt" desc, o."Id" offset @offset limit @limit
            """, values, cancellationToken: cancellationToken));
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            """select count(*) from "Orders" where "CustomerId" = @customer and (@status is null or "Status" = @status)""", values,
            cancellationToken: cancellationToken));
        return new([.. rows.Select(row => new OrderRow(row.Id, Enum.Parse<OrderStatus>(row.Status), row.PlacedAt, row.Total))], total);
    }

    public async Task<IReadOnlyList<ProductTotal>> TotalsAsync() => [.. await connection.QueryAsync<ProductTotal>(
        """select "Product", sum("Quantity") as "Quantity" from "OrderLines" group by "Product" order by "Product" collate "C" """)];

    public Task SendAsync(Guid id, CancellationToken cancellationToken) => connection.ExecuteAsync(new CommandDefinition(
        """update "Orders" set "Status" = 'Sent' where "Id" = @id""", new { id }, cancellationToken: cancellationToken));

    private sealed record Head(Guid Id, int CustomerId, string CustomerName, string Status, DateTime PlacedAt, string Notes);

    private sealed record Row(Guid Id, string Status, DateTime PlacedAt, decimal Total);
}
