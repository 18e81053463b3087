using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Text;

namespace Shadowing.Evidence;

/// <summary>The instructions of a method as text, independent of where its module keeps what they name.</summary>
internal static class MethodCode
{
    private static readonly FrozenDictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!)
        .ToFrozenDictionary(code => code.Value);

    /// <summary>Locals, exception handlers and instructions, without texts that only a logger gets.</summary>
    public static string Describe(MethodBase method, MethodBody body)
    {
        var text = new StringBuilder();
        foreach (var local in body.LocalVariables) text.Append(local.LocalType).Append(' ');
        foreach (var clause in body.ExceptionHandlingClauses)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{clause.Flags} {clause.TryOffset} {clause.TryLength} {clause.HandlerOffset} {clause.HandlerLength} ");
            if (clause.Flags is ExceptionHandlingClauseOptions.Clause) text.Append(clause.CatchType);
        }

        foreach (var (code, operand, isLogText) in Read(method, body))
            text.Append('\n').Append(code.Name).Append(' ').Append(isLogText ? "" : CodeFingerprint.Text(operand));
        return text.ToString();
    }

    /// <summary>The instructions, and of each whether it loads a text that only a logger gets.</summary>
    private static List<(OpCode Code, object? Operand, bool IsLogText)> Read(MethodBase method, MethodBody body)
    {
        var found = new List<(OpCode Code, object? Operand, bool IsLogText)>();
        var il = body.GetILAsByteArray()!;
        // Texts that lie on the stack, with the depth below each. After a branch it is not known what becomes of them.
        var waiting = new Stack<(int At, int Depth)>();
        var depth = 0;
        for (var at = 0; at < il.Length;)
        {
            var code = il[at] == 0xFE ? OpCodesByValue[unchecked((short)(0xFE00 | il[at + 1]))] : OpCodesByValue[il[at]];
            at += code.Size;
            var (operand, length) = Operand(method, code, il, at);
            at += length;
            var (pops, pushes) = Stack(method, code, operand);
            depth -= pops;
            while (waiting.TryPeek(out var text) && text.Depth >= depth && pops > 0)
            {
                waiting.Pop();
                if (operand is MethodBase called && CodeFingerprint.IsOfLogging(called.DeclaringType))
                    found[text.At] = found[text.At] with { IsLogText = true };
            }

            if (code == OpCodes.Ldstr) waiting.Push((found.Count, depth));
            depth += pushes;
            found.Add((code, operand is MemberInfo member ? Name(member) : operand, false));
            if (EndsWhatIsKnown(code)) (depth, waiting) = (0, new());
        }

        return found;
    }

    private static bool EndsWhatIsKnown(OpCode code) =>
        code == OpCodes.Calli || code.FlowControl is not (FlowControl.Next or FlowControl.Call or FlowControl.Meta);

    private static (object? Operand, int Length) Operand(MethodBase method, OpCode code, byte[] il, int at)
    {
        int Int() => BitConverter.ToInt32(il, at);
        var ofType = method.DeclaringType?.GetGenericArguments();
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return code.OperandType switch
        {
            OperandType.InlineNone => (null, 0),
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => (il[at], 1),
            OperandType.InlineVar => (BitConverter.ToInt16(il, at), 2),
            OperandType.InlineI8 or OperandType.InlineR => (BitConverter.ToInt64(il, at), 8),
            OperandType.InlineString => (method.Module.ResolveString(Int()), 4),
            OperandType.InlineSig => (Convert.ToHexString(method.Module.ResolveSignature(Int())), 4),
            OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType =>
                (method.Module.ResolveMember(Int(), ofType, ofMethod), 4),
            OperandType.InlineSwitch => (Convert.ToHexString(il, at, 4 + (4 * Int())), 4 + (4 * Int())),
            _ => (Int(), 4),
        };
    }

    private static (int Pops, int Pushes) Stack(MethodBase method, OpCode code, object? operand)
    {
        if (operand is MethodBase called && code.FlowControl is FlowControl.Call)
        {
            var isNew = code == OpCodes.Newobj;
            return (called.GetParameters().Length + (called.IsStatic || isNew ? 0 : 1), isNew || Returns(called) ? 1 : 0);
        }

        if (code == OpCodes.Ret) return (Returns(method) ? 1 : 0, 0);
        return (Count(code.StackBehaviourPop), Count(code.StackBehaviourPush));
    }

    private static bool Returns(MethodBase method) => method is MethodInfo { ReturnType: var type } && type != typeof(void);

    /// <summary>
    /// The names tell: <c>Popref_popi_popi</c> takes three, <c>Push1_push1</c> gives two, <c>Pop0</c> takes none.
    /// </summary>
    private static int Count(StackBehaviour behaviour) =>
        behaviour is StackBehaviour.Pop0 or StackBehaviour.Push0 or StackBehaviour.Varpop or StackBehaviour.Varpush ? 0
            : behaviour.ToString().Split('_').Length;

    private static string Name(MemberInfo member) => $"{member.DeclaringType} {member}"
        + (member is MethodInfo { IsGenericMethod: true } generic ? $"<{string.Join<Type>(", ", generic.GetGenericArguments())}>" : "");
}
