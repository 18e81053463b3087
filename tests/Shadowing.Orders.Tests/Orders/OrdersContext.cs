using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Orders;

internal sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
{
    public DbSet<CustomerEntity> Customers => Set<CustomerEntity>();

    public DbSet<OrderEntity> Orders => Set<OrderEntity>();

    public DbSet<OrderLineEntity> OrderLines => Set<OrderLineEntity>();

    public DbSet<OrderEventEntity> OrderEvents => Set<OrderEventEntity>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<OrderEntity>().HasMany(order => order.Lines).WithOne().HasForeignKey(line => line.OrderId);
        modelBuilder.Entity<OrderEventEntity>().HasOne<OrderEntity>().WithMany().HasForeignKey(one => one.OrderId);
        modelBuilder.Entity<OrderLineEntity>().HasKey(line => new { line.OrderId, line.LineNo });
    }
}

internal sealed class CustomerEntity
{
    public int Id { get; set; }

    public string Name { get; set; } = "";
}

internal sealed class OrderEntity
{
    public Guid Id { get; set; }

    public int CustomerId { get; set; }

    public CustomerEntity Customer { get; set; } = null!;

    public string Status { get; set; } = "";

    public DateTime PlacedAt { get; set; }

    public JsonDocument Notes { get; set; } = null!;

    public List<OrderLineEntity> Lines { get; set; } = [];
}

internal sealed class OrderLineEntity
{
    public Guid OrderId { get; set; }

    public int LineNo { get; set; }

    public string Product { get; set; } = "";

    public int Quantity { get; set; }

    public decimal Price { get; set; }
}

internal sealed class OrderEventEntity
{
    public long Id { get; set; }

    public Guid OrderId { get; set; }

    public string What { get; set; } = "";

    public DateTime At { get; set; }
}
