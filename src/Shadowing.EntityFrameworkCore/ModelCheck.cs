using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace Shadowing.EntityFrameworkCore;

/// <summary>Something that the model and the database do not say alike.</summary>
/// <param name="Object">A table, as <c>orders</c>, or a column, as <c>orders.total</c>.</param>
/// <param name="Finding">What the catalogue has and what the model says.</param>
/// <param name="Breaks">Whether the candidate must not run over it: its statements fail, or take a column for a type it is not.</param>
[SuppressMessage("Naming", "CA1720", Justification = "A database object: the catalogue's word.", Scope = "member")]
public sealed record ModelDisagreement(string Object, string Finding, bool Breaks);

/// <summary>Holds an EF Core model against the tables as they are: before the first shadowed request, rather than by its failing.</summary>
public static class ModelCheck
{
    /// <summary>Marks an entity type that is only read: what its rows need to be inserted does not matter.</summary>
    public const string ReadOnly = "Shadowing:ReadOnly";

    private static readonly string[] Texts = ["character varying", "text", "character"];

    /// <inheritdoc cref="CompareAsync(DbContext, NpgsqlConnection, CancellationToken)"/>
    public static async Task<IReadOnlyList<ModelDisagreement>> CompareAsync<TContext>(
        IDbContextFactory<TContext> contexts, NpgsqlConnection connection, CancellationToken cancellationToken)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(contexts);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await CompareAsync(context, connection, cancellationToken);
    }

    /// <summary>
    /// Compares tables, columns, types, lengths, nullability, defaults and keys with the catalogue that <paramref name="connection"/> sees;
    /// unqualified tables are found as statements find them, by the search path.
    /// </summary>
    /// <returns>
    /// By table and column in the model's order; empty where they agree. Indexes and columns the candidate has no use for do not count.
    /// </returns>
    /// <remarks>Reads <c>pg_catalog</c> alone, so it needs no right to any table.</remarks>
    public static async Task<IReadOnlyList<ModelDisagreement>> CompareAsync(
        DbContext context, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(connection);
        // The model that queries run on has forgotten its defaults; the design-time one has not.
        var model = context.GetService<IDesignTimeModel>().Model.GetRelationalModel();
        ITable[] tables = [.. model.Tables];
        var actual = await CatalogueTable.ReadAsync(connection, [.. tables.Select(Quoted)], cancellationToken);
        return [.. tables.SelectMany(table => Compare(table, actual[Quoted(table)]))];
    }

    private static string Quoted(ITable table) =>
        table.Schema is null ? $"\"{table.Name}\"" : $"\"{table.Schema}\".\"{table.Name}\"";

    private static IEnumerable<ModelDisagreement> Compare(ITable table, CatalogueTable actual)
    {
        if (actual.Columns.Count == 0) return [new(table.Name, "is missing", Breaks: true)];
        var columns = actual.Columns.ToDictionary(column => column.Name);
        // Every table has these, though the catalogue lists none as a column of it: xmin serves as a row version.
        return table.Columns.Where(column => !CatalogueTable.SystemColumns.Contains(column.Name))
            .SelectMany(column => Compare(column, columns.GetValueOrDefault(column.Name)))
            .Concat(Unmapped(table, actual))
            .Concat(Keys(table, actual));
    }

    private static IEnumerable<ModelDisagreement> Compare(IColumn column, CatalogueColumn? actual)
    {
        var name = $"{column.Table.Name}.{column.Name}";
        if (actual is null)
        {
            yield return new(name, "is missing", Breaks: true);
            yield break;
        }

        var type = CatalogueTable.NormalType(column.StoreType);
        if (actual.Type != type)
            yield return new(name, $"is {actual.Type}, the model says {type}", Breaks: !Compatible(actual.Type, type));
        if (actual.IsNullable != column.IsNullable)
            yield return new(name, $"{Nullability(actual.IsNullable)}, the model says {Nullability(column.IsNullable)}", Breaks: false);
        var (expected, generates) = DefaultOf(column);
        if (actual.Default != expected || actual.Generates != generates)
            yield return new(
                name,
                $"has {Default(actual.Default, actual.Generates)}, the model says {Default(expected, generates)}",
                Breaks: generates && !actual.Generates && !IsReadOnly(column.Table));
    }

    private static IEnumerable<ModelDisagreement> Unmapped(ITable table, CatalogueTable actual) =>
        from column in actual.Columns
        where !IsReadOnly(table) && table.FindColumn(column.Name) is null
        where column is { IsNullable: false, Default: null, Generates: false }
        select new ModelDisagreement(
            $"{table.Name}.{column.Name}", "is NOT NULL and has no default, the model does not have it", Breaks: true);

    private static IEnumerable<ModelDisagreement> Keys(ITable table, CatalogueTable actual)
    {
        var key = table.PrimaryKey is { } primary ? Names(primary.Columns) : null;
        var actualKey = actual.Keys.SingleOrDefault(candidate => candidate.Principal is null)?.Columns;
        if (key != actualKey) yield return new(table.Name, $"has {Key(actualKey)}, the model says {Key(key)}", Breaks: false);
        foreach (var reference in table.ForeignKeyConstraints)
        {
            if (reference.Columns.Any(column => actual.Columns.All(existing => existing.Name != column.Name))) continue;
            var expected = new CatalogueKey(Names(reference.Columns), reference.PrincipalTable.Name, Action(reference.OnDeleteAction));
            if (actual.Keys.Contains(expected)) continue;
            var found = actual.Keys.FirstOrDefault(candidate => candidate.Principal is not null && candidate.Columns == expected.Columns);
            yield return new(
                $"{table.Name}.{expected.Columns}", $"has {Reference(found)}, the model says {Reference(expected)}", Breaks: false);
        }
    }

    private static (string? Default, bool Generates) DefaultOf(IColumn column)
    {
        var property = column.PropertyMappings[0].Property;
        var strategy = property.GetValueGenerationStrategy(StoreObjectIdentifier.Table(column.Table.Name, column.Table.Schema));
        if (strategy is not NpgsqlValueGenerationStrategy.None) return (null, true);
        if (column.DefaultValueSql is { } sql) return (CatalogueTable.NormalDefault(sql), false);
        return column.TryGetDefaultValue(out var value) && value is not null
            ? (CatalogueTable.NormalDefault(column.StoreTypeMapping.GenerateSqlLiteral(value)), false)
            : (null, false);
    }

    private static bool IsReadOnly(ITableBase table) =>
        table.EntityTypeMappings.All(mapping => mapping.TypeBase.FindAnnotation(ReadOnly) is not null);

    private static bool Compatible(string actual, string expected)
    {
        var (one, other) = (CatalogueTable.BareType(actual), CatalogueTable.BareType(expected));
        return one == other || (Texts.Contains(one) && Texts.Contains(other));
    }

    private static string Names(IEnumerable<IColumn> columns) => string.Join(", ", columns.Select(column => column.Name));

    private static string Nullability(bool isNullable) => isNullable ? "allows NULL" : "is NOT NULL";

    private static string Default(string? expression, bool generates) =>
        generates ? "a generated number" : $"default {expression ?? "NULL"}";

    private static string Key(string? columns) => columns is null ? "no primary key" : $"primary key ({columns})";

    private static string Reference(CatalogueKey? key) =>
        key is null ? "no foreign key" : $"a foreign key to {key.Principal} ON DELETE {key.OnDelete}";

    private static string Action(ReferentialAction action) => action switch
    {
        ReferentialAction.Cascade => "CASCADE",
        ReferentialAction.SetNull => "SET NULL",
        ReferentialAction.SetDefault => "SET DEFAULT",
        ReferentialAction.Restrict => "RESTRICT",
        _ => "NO ACTION",
    };
}
