using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Shadowing.EntityFrameworkCore;

/// <summary>Sets up a candidate's context for being run inside a transaction.</summary>
public static class NestedTransactionsExtensions
{
    /// <summary>
    /// Makes <c>BeginTransaction</c> a savepoint where a transaction is around the context already, as on a snapshot and in the sandbox;
    /// anywhere else it stays what it is.
    /// </summary>
    public static DbContextOptionsBuilder UseNestedTransactions(this DbContextOptionsBuilder options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.ReplaceService<IDbContextTransactionManager, NestedTransactions>();
    }
}
