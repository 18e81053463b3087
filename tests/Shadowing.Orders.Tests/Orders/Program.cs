using Microsoft.EntityFrameworkCore;
using Npgsql;
using Orders;
using Shadowing.AspNetCore.Hosting;
using Shadowing.Postgres.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddSingleton<Mailbox>().AddScoped<IMailer, Mailer>().AddHttpContextAccessor().AddHttpClient();
Wiring.AddContext(builder);
builder.AddShadowing(shadow =>
{
    shadow.OnPostgres("Orders").Compare<IOrders, SqlOrders, EfOrders>().Replace<IMailer, SilentMailer>();
    if (builder.Configuration.GetValue<bool>("Writes")) shadow.Writes(writes => writes.Tables("Orders", "OrderLines", "OrderEvents"));
    if (builder.Configuration.GetConnectionString("Evidence") is not null) shadow.KeepEvidence("Evidence");
});
var app = builder.Build();
app.MapGet("/orders/{id:guid}", async (Guid id, IOrders orders, CancellationToken token) =>
    await orders.GetAsync(id, token) is { } order ? Results.Ok(order) : Results.NotFound());
app.MapGet("/orders", (int customerId, OrderStatus? status, int? page, IOrders orders, CancellationToken token) =>
    orders.ListAsync(new(customerId, status, page ?? 1), token));
app.MapGet("/totals", (IOrders orders) => orders.TotalsAsync());
app.MapPost("/orders/{id:guid}/send", (Guid id, IOrders orders, CancellationToken token) => orders.SendAsync(id, token));
app.MapPost("/orders", (CreateOrder request, IOrders orders, CancellationToken token) => orders.CreateAsync(request, token));
app.MapPost("/lines", (AddLines request, IOrders orders, CancellationToken token) => orders.AddLinesAsync(request, token));
app.MapPut("/orders/{id:guid}/{status}", (Guid id, OrderStatus status, IOrders orders, CancellationToken token) =>
    orders.SetStatusAsync(id, status, token));
app.MapDelete("/orders/{id:guid}", (Guid id, IOrders orders, CancellationToken token) => orders.DeleteAsync(id, token));
app.MapPut("/fault/{name}", (string name) => Fault.Planted = name);
app.MapGet("/mails", (Mailbox mails) => mails.Sent);
app.MapShadowing("/shadow");
app.Run();
