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

    public async Task<Order> CreateAsync(CreateOrder request, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        var id = Guid.NewGuid();
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into "Orders" ("Id", "CustomerId", "Status", "PlacedAt", "Notes")
                values (@id, @customer, 'Open', now(), jsonb_build_object('gift', @gift, 'lines', @count))
                """,
                new { id, customer = request.CustomerId, gift = request.Gift, count = request.Lines.Count }, transaction,
                cancellationToken: cancellationToken));
            for (var at = 0; at < request.Lines.Count; at++) await InsertAsync(id, at + 1, request.Lines[at], transaction, cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(
                """insert into "OrderEvents" ("OrderId", "What") values (@id, 'created')""", new { id }, transaction,
                cancellationToken: cancellationToken));
            await transaction.CommitAsync(cancellationToken);
        }

        return (await GetAsync(id, cancellationToken))!;
    }

    public async Task<int> AddLinesAsync(AddLines request, CancellationToken cancellationToken)
    {
        var last = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            """select max("LineNo") from "OrderLines" where "OrderId" = @id""", new { id = request.OrderId }, cancellationToken: cancellationToken));
        if (last is null) return 0;
        foreach (var line in request.Lines)
            await InsertAsync(request.OrderId, (int)++last, line, null, cancellationToken);
        return last.Value;
    }

    public async Task<bool> SetStatusAsync(Guid id, OrderStatus status, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var changed = await connection.ExecuteAsync(new CommandDefinition(
            """update "Orders" set "Status" = @status where "Id" = @id and "Status" <> @status""", new { id, status = status.ToString() },
            transaction, cancellationToken: cancellationToken));
        if (changed == 0) return false;
        await connection.ExecuteAsync(new CommandDefinition(
            """insert into "OrderEvents" ("OrderId", "What") values (@id, @what)""", new { id, what = "now " + status }, transaction,
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken) => await connection.ExecuteAsync(
        new CommandDefinition("""delete from "Orders" where "Id" = @id""", new { id }, cancellationToken: cancellationToken)) > 0;

    private Task<int> InsertAsync(
        Guid id, int number, NewLine line, NpgsqlTransaction? transaction, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(
            """insert into "OrderLines" values (@id, @number, @Product, @Quantity, @Price)""",
            new { id, number, line.Product, line.Quantity, line.Price }, transaction, cancellationToken: cancellationToken));

    private sealed record Head(Guid Id, int CustomerId, string CustomerName, string Status, DateTime PlacedAt, string Notes);

    private sealed record Row(Guid Id, string Status, DateTime PlacedAt, decimal Total);
}
