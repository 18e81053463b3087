using System.Linq.Expressions;
using Ticketing.EntityFrameworkCore;

namespace Ticketing.Api.Tests.Matrix;

/// <summary>The candidate's projections, and how to put one wrong member into them.</summary>
internal static class Projections
{
    public static readonly Expression<Func<TicketRow, TicketListItem>> Item = ticket => new TicketListItem(
        ticket.Id, ticket.UserId, ticket.Subject, ticket.Description, ticket.Status, ticket.Priority, ticket.Category, ticket.AssignedTo,
        ticket.Resolution, ticket.ResolvedAt, ticket.CreatedAt, ticket.UpdatedAt, ticket.Comments.LongCount(),
        ticket.Owner.FirstName, ticket.Owner.LastName, ticket.Owner.Email, ticket.Assignee!.FirstName, ticket.Assignee.LastName);

    public static readonly Expression<Func<TicketRow, TicketDetail>> Detail = ticket => new TicketDetail(
        ticket.Id, ticket.UserId, ticket.Subject, ticket.Description, ticket.Status, ticket.Priority, ticket.Category, ticket.AssignedTo,
        ticket.Resolution, ticket.ResolvedAt, ticket.CreatedAt, ticket.UpdatedAt,
        ticket.Owner.FirstName, ticket.Owner.LastName, ticket.Owner.Email, ticket.Assignee!.FirstName, ticket.Assignee.LastName,
        Array.Empty<TicketComment>());

    public static readonly Expression<Func<TicketRow, decimal?>> HoursToResolve = ticket =>
        (decimal?)TicketingContext.Extract("epoch", ticket.ResolvedAt!.Value - ticket.CreatedAt!.Value) / 3600m;

    private static readonly string[] People = ["OwnerFirstName", "OwnerLastName", "OwnerEmail", "AssigneeFirstName", "AssigneeLastName"];

    public static IQueryable<TicketComment> WithAuthors(IQueryable<CommentRow> comments, IQueryable<UserRow> authors) =>
        comments.LeftJoin(authors, comment => comment.UserId, user => user.Id, (comment, author) => new TicketComment(
            comment.Id, comment.TicketId, comment.UserId, comment.Comment, comment.IsInternal, comment.CreatedAt,
            author!.FirstName, author.LastName, author.Role));

    public static Expression<Func<TicketRow, TicketListItem>> WithoutPeople(this Expression<Func<TicketRow, TicketListItem>> item) =>
        People.Aggregate(item, (projection, member) => projection.With<TicketListItem, string?>(member, ticket => null));

    /// <summary>The projection with another expression for one parameter of the record.</summary>
    public static Expression<Func<TicketRow, TAnswer>> With<TAnswer, TValue>(
        this Expression<Func<TicketRow, TAnswer>> projection, string member, Expression<Func<TicketRow, TValue>> value)
    {
        var answer = (NewExpression)projection.Body;
        var parameter = answer.Constructor!.GetParameters().Single(parameter => parameter.Name == member);
        var body = new Rebind(value.Parameters[0], projection.Parameters[0]).Visit(value.Body);
        if (body.Type != parameter.ParameterType) body = Expression.Convert(body, parameter.ParameterType);
        return projection.Update(answer.Update([.. answer.Arguments.Select((argument, i) => i == parameter.Position ? body : argument)]), projection.Parameters);
    }

    private sealed class Rebind(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : base.VisitParameter(node);
    }
}
