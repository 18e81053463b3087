using Shadowing.Comparison;
using Shadowing.Intercepting;

namespace Shadowing.Tests.Intercepting;

/// <summary>What is taken of an interface and its requests where the application says nothing.</summary>
public sealed class ConventionsTests
{
    [Theory]
    [InlineData(typeof(IOrders), "orders.get")]
    [InlineData(typeof(IOrderLineStore), "order_line.find_by_id")]
    [InlineData(typeof(ISQLRepository), "sql.run")]
    public void Operations_are_called_after_type_and_method(Type compared, string name) =>
        Assert.Equal(name, Conventions.OperationName(compared, compared.GetMethods()[0]));

    [Theory]
    [InlineData(null, null, 1, false, "first page")]
    [InlineData("secret text", Level.High, 7, true, "with text / level=High / page to 10 / urgent=true")]
    [InlineData("", (Level)99, 500, false, "deep page")]
    public void A_shape_names_what_is_set_and_no_text(string? text, Level? level, int page, bool urgent, string shape) =>
        Assert.Equal(shape, Conventions.ShapeOf<Search>()(new(text, level, page, urgent)));

    [Fact]
    public void A_shape_looks_into_objects_of_the_request_and_counts_lists_in_classes()
    {
        var shape = Conventions.ShapeOf<Nested>();
        Assert.Equal("caller.isStaff=true / one of ids", shape(new(new(7, true), [1])));
        Assert.Equal("no ids", shape(new(new(7, false), [])));
        Assert.Equal("many ids", shape(new(null, [1, 2, 3])));
    }

    [Fact]
    public void The_user_is_the_requests_or_that_of_an_object_in_it()
    {
        Assert.Equal(7, Conventions.UserOf<Nested>()(new(new(7, true), [])));
        Assert.Equal(0, Conventions.UserOf<Nested>()(new(null, [])));
        Assert.Equal(0, Conventions.UserOf<Search>()(new(null, null, 1, false)));
        var byGuid = Conventions.UserOf<OfTenant>();
        Assert.NotEqual(byGuid(new(Guid.NewGuid(), 1)), byGuid(new(Guid.NewGuid(), 1)));
    }

    [Fact]
    public void What_is_in_no_row_is_about_the_row_that_the_request_names()
    {
        var touches = Conventions.Touches<OfTenant>();
        var (inRow, beside) = (new Difference("lines[1].price", DifferenceKind.Value, 1, 2, Guid.Empty), new Difference("name", DifferenceKind.Value, 1, 2));
        Assert.Equal(["00000000-0000-0000-0000-000000000000", "5"], touches(new(Guid.NewGuid(), 5), [inRow, beside])!.Order());
        Assert.Null(Conventions.Touches<Search>()(new(null, null, 1, false), [beside]));
        Assert.Equal(5, Conventions.SubjectOf<OfTenant>()(new(Guid.NewGuid(), 5)));
    }

    [Theory]
    [InlineData(typeof(Search), true)]
    [InlineData(typeof(OfTenant), false)]
    public void A_request_with_a_page_shows_a_part(Type request, bool isPage) => Assert.Equal(isPage, Conventions.NamesPage(request));

    [Fact]
    public void Rows_are_found_by_their_id_wherever_they_are_listed()
    {
        var comparer = new ResultComparer<IReadOnlyList<Row>>(ComparisonRules.KeyedRows());
        var missing = comparer.Compare([new(1, "a"), new(2, "b"), new(3, "c")], [new(1, "a"), new(3, "x")]);
        Assert.Equal(
            [("[*]", DifferenceKind.MissingRow, 2), ("[*].text", DifferenceKind.Value, 3)],
            missing.Differences.Select(difference => (difference.Pattern, difference.Kind, (int)difference.RowKey!)).Order());
        Assert.True(comparer.Compare([new(1, "a")], [new(1, "a")]).IsSame);
    }

    public enum Level
    {
        Low,
        High,
    }

    internal sealed record Search(string? Text, Level? Level, int Page, bool Urgent);

    internal sealed record Caller(int UserId, bool IsStaff);

    internal sealed record Nested(Caller? Caller, IReadOnlyList<int> Ids);

    internal sealed record OfTenant(Guid TenantId, int Id);

    internal sealed record Row(int Id, string Text);

    internal interface IOrders
    {
        Task<int> GetAsync();
    }

    internal interface IOrderLineStore
    {
        Task<int> FindByIdAsync();
    }

    internal interface ISQLRepository
    {
        Task<int> Run();
    }
}
