using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Shadowing.EntityFrameworkCore;

namespace Ticketing.EntityFrameworkCore;

internal static class Columns
{
    public const string Timestamp = "timestamp(6) without time zone";

    public const string Now = "CURRENT_TIMESTAMP";
}

internal sealed class TicketConfiguration : IEntityTypeConfiguration<TicketRow>
{
    public void Configure(EntityTypeBuilder<TicketRow> builder)
    {
        builder.ToTable("support_tickets");
        builder.HasKey(ticket => ticket.Id);
        builder.Property(ticket => ticket.Id).HasColumnName("id").UseSerialColumn();
        builder.Property(ticket => ticket.UserId).HasColumnName("user_id");
        builder.Property(ticket => ticket.Subject).HasColumnName("subject").HasMaxLength(255);
        builder.Property(ticket => ticket.Description).HasColumnName("description");
        builder.Property(ticket => ticket.Status).HasColumnName("status").HasMaxLength(50).HasDefaultValue("open");
        builder.Property(ticket => ticket.Priority).HasColumnName("priority").HasMaxLength(20).HasDefaultValue("medium");
        builder.Property(ticket => ticket.Category).HasColumnName("category").HasMaxLength(50).HasDefaultValue("general");
        builder.Property(ticket => ticket.AssignedTo).HasColumnName("assigned_to");
        builder.Property(ticket => ticket.Resolution).HasColumnName("resolution");
        builder.Property(ticket => ticket.ResolvedAt).HasColumnName("resolved_at").HasColumnType(Columns.Timestamp);
        builder.Property(ticket => ticket.CreatedAt).HasColumnName("created_at").HasColumnType(Columns.Timestamp)
            .HasDefaultValueSql(Columns.Now);
        builder.Property(ticket => ticket.UpdatedAt).HasColumnName("updated_at").HasColumnType(Columns.Timestamp)
            .HasDefaultValueSql(Columns.Now);
        builder.HasOne(ticket => ticket.Owner).WithMany().HasForeignKey(ticket => ticket.UserId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne(ticket => ticket.Assignee).WithMany().HasForeignKey(ticket => ticket.AssignedTo).OnDelete(DeleteBehavior.SetNull);
        builder.HasMany(ticket => ticket.Comments).WithOne().HasForeignKey(comment => comment.TicketId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class CommentConfiguration : IEntityTypeConfiguration<CommentRow>
{
    public void Configure(EntityTypeBuilder<CommentRow> builder)
    {
        builder.ToTable("ticket_comments");
        builder.HasKey(comment => comment.Id);
        builder.Property(comment => comment.Id).HasColumnName("id").UseSerialColumn();
        builder.Property(comment => comment.TicketId).HasColumnName("ticket_id");
        builder.Property(comment => comment.UserId).HasColumnName("user_id");
        builder.Property(comment => comment.Comment).HasColumnName("comment");
        builder.Property(comment => comment.IsInternal).HasColumnName("is_internal").HasDefaultValue(false);
        builder.Property(comment => comment.CreatedAt).HasColumnName("created_at").HasColumnType(Columns.Timestamp)
            .HasDefaultValueSql(Columns.Now);
        builder.HasOne<UserRow>().WithMany().HasForeignKey(comment => comment.UserId).OnDelete(DeleteBehavior.Cascade);
    }
}

internal sealed class UserConfiguration : IEntityTypeConfiguration<UserRow>
{
    public void Configure(EntityTypeBuilder<UserRow> builder)
    {
        builder.ToTable("users");
        builder.HasAnnotation(ModelCheck.ReadOnly, true);
        builder.HasKey(user => user.Id);
        builder.Property(user => user.Id).HasColumnName("id").UseSerialColumn();
        builder.Property(user => user.Email).HasColumnName("email").HasMaxLength(255);
        builder.Property(user => user.FirstName).HasColumnName("first_name").HasMaxLength(100);
        builder.Property(user => user.LastName).HasColumnName("last_name").HasMaxLength(100);
        builder.Property(user => user.Role).HasColumnName("role").HasMaxLength(50).HasDefaultValue("user");
    }
}
