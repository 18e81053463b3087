using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;

namespace Shadowing.Comparison;

/// <summary>
/// Compiles the comparison of a type's members to one block: plain values are held against each other in place, and only where they are not
/// the same bit for bit is anything called.
/// </summary>
internal static class MemberCompiler
{
    /// <summary>For two values of the type, null included.</summary>
    public static ValueVisitor<T> Compile<T>(TypePlan<T> type, ComparerPlan plan)
    {
        var (block, name) = (new Block<T>(plan), Expression.Parameter(typeof(string)));
        var (entered, before) = (Expression.Variable(typeof(int)), Expression.Variable(typeof(int)));
        List<Expression> steps =
        [
            Expression.Assign(entered, Expression.Call(block.Walk, nameof(ComparisonWalk.Enter), [], Expression.Constant(1))),
            .. type.HasMore ? (Expression[])[Expression.Assign(before, Expression.Property(block.Walk, nameof(ComparisonWalk.Total)))] : [],
            .. ValueKind.MembersOf(typeof(T)).Select(member => block.Visit(member, JsonNamingPolicy.CamelCase.ConvertName(member.Name))),
        ];
        if (type.HasMore) steps.Add(block.Call(nameof(ComparisonWalk.Rest), [typeof(T)], before, Expression.Constant(type)));
        steps.Add(Expression.Call(block.Walk, nameof(ComparisonWalk.Leave), [], entered, name));
        Expression body = Expression.Block([entered, before], steps);
        if (!typeof(T).IsValueType)
        {
            if (!typeof(T).IsSealed)
                body = Expression.IfThenElse(block.IsExact(), body, block.Call(nameof(ComparisonWalk.Derived), [], name));
            body = Expression.IfThenElse(block.IsNull(), block.Call(nameof(ComparisonWalk.Null), [], name), body);
        }

        return Expression.Lambda<ValueVisitor<T>>(body, block.Control, block.Candidate, name, block.Walk).Compile();
    }

    /// <summary>For the fields that no member shows, at the path of their owner; null where there are none.</summary>
    public static Action<T, T, ComparisonWalk>? CompileHidden<T>(ComparerPlan plan)
    {
        if (ValueKind.ForType(typeof(T)).Hidden is not { Count: > 0 } hidden) return null;
        var block = new Block<T>(plan);
        var body = Expression.Block([.. hidden.Select(field => block.Visit(field, ""))]);
        return Expression.Lambda<Action<T, T, ComparisonWalk>>(body, block.Control, block.Candidate, block.Walk).Compile();
    }

    /// <summary>The expressions that compare two values of a type.</summary>
    private sealed class Block<T>(ComparerPlan plan)
    {
        public ParameterExpression Control { get; } = Expression.Parameter(typeof(T));

        public ParameterExpression Candidate { get; } = Expression.Parameter(typeof(T));

        public ParameterExpression Walk { get; } = Expression.Parameter(typeof(ComparisonWalk));

        /// <summary>A call with both values first.</summary>
        public MethodCallExpression Call(string method, Type[] types, params Expression[] arguments) =>
            Expression.Call(Walk, method, types, [Control, Candidate, .. arguments]);

        public BinaryExpression IsNull() => Expression.OrElse(IsNull(Control), IsNull(Candidate));

        public BinaryExpression IsExact() =>
            Expression.AndAlso(Expression.TypeEqual(Control, typeof(T)), Expression.TypeEqual(Candidate, typeof(T)));

        public BlockExpression Visit(MemberInfo member, string name)
        {
            var type = ValueKind.TypeOf(member);
            var (control, candidate) = (Expression.Variable(type), Expression.Variable(type));
            var visit = VisitValues(member, type, control, candidate, Expression.Constant(name));
            return Expression.Block(
                [control, candidate],
                Expression.Assign(control, Expression.MakeMemberAccess(Control, member)),
                Expression.Assign(candidate, Expression.MakeMemberAccess(Candidate, member)),
                SameBits.Test(control, candidate) is { } same ? Expression.IfThen(Expression.Not(same), visit) : visit);
        }

        private Expression VisitValues(
            MemberInfo member, Type type, ParameterExpression control, ParameterExpression candidate, ConstantExpression name)
        {
            var (rule, kind) = (plan.RuleFor(member), ValueKind.ForType(type));
            if (rule?.GetType() == typeof(ValueRule<>).MakeGenericType(type))
                return Expression.Call(Walk, nameof(ComparisonWalk.Near), [type], control, candidate, name, Expression.Constant(rule));
            switch (kind.As)
            {
                case ComparedAs.Leaf:
                case ComparedAs.Nullable when ValueKind.ForType(kind.Arguments[0]).As is ComparedAs.Leaf:
                    return Expression.Call(Walk, nameof(ComparisonWalk.Leaf), [type], control, candidate, name);
                case ComparedAs.List:
                    var (row, rows) = (kind.Arguments[0], typeof(IReadOnlyList<>).MakeGenericType(kind.Arguments));
                    var ruleOfRows = typeof(RowRule<>).MakeGenericType(row);
                    return Expression.Call(
                        Walk, nameof(ComparisonWalk.List), [row],
                        Expression.Convert(control, rows), Expression.Convert(candidate, rows), name,
                        typeof(T).IsValueType ? Expression.Constant(null) : Control,
                        Expression.Constant(ruleOfRows.IsInstanceOfType(rule) ? rule : null, ruleOfRows),
                        Expression.Constant(plan.PlanFor(row)));
                default:
                    var visitor = Expression.Property(Expression.Constant(plan.PlanFor(type)), nameof(TypePlan<>.Visit));
                    return Expression.Invoke(visitor, control, candidate, name, Walk);
            }
        }

        private static BinaryExpression IsNull(ParameterExpression value) =>
            Expression.ReferenceEqual(value, Expression.Constant(null, typeof(T)));
    }
}
