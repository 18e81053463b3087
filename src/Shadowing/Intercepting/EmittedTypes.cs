using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace Shadowing.Intercepting;

/// <summary>
/// Emits what an interface's calls are made of: a request class for the parameters of a method, and the class that takes the calls. Each is
/// emitted once in a process. Types that are not public can be used, whichever assembly has them.
/// </summary>
internal static class EmittedTypes
{
    private const MethodAttributes Implements = MethodAttributes.Private | MethodAttributes.Final | MethodAttributes.HideBySig
        | MethodAttributes.NewSlot | MethodAttributes.Virtual;

    private const MethodAttributes Reads = MethodAttributes.Public | MethodAttributes.SpecialName | MethodAttributes.HideBySig;

    private static readonly Lock Emitting = new();
    private static readonly AssemblyBuilder Assembly =
        AssemblyBuilder.DefineDynamicAssembly(new("Shadowing.Emitted"), AssemblyBuilderAccess.Run);
    private static readonly ModuleBuilder Module = Assembly.DefineDynamicModule("Shadowing.Emitted");
    private static readonly ConstructorInfo Ignores = DefineIgnoresAccessChecks();
    private static readonly HashSet<string> Visible = [];
    private static readonly ConcurrentDictionary<MethodInfo, Type> Requests = [];
    private static readonly ConcurrentDictionary<(Type Compared, string Indexes), Type> Calls = [];

    /// <summary>A class with a property for each parameter, in their order, and a constructor that takes them all.</summary>
    public static Type RequestFor(MethodInfo method, IReadOnlyList<ParameterInfo> parameters)
    {
        lock (Emitting)
        {
            return Requests.GetOrAdd(method, _ => EmitRequest(method, parameters));
        }
    }

    /// <summary>
    /// A class that derives from <see cref="InterceptedCalls"/> and implements the interface. Hosts in one process may compare other
    /// methods of the same interface: what is emitted is for these.
    /// </summary>
    public static Type CallsFor(Type compared, IReadOnlyList<InterceptedMethod> methods)
    {
        lock (Emitting)
        {
            var indexes = string.Join(',', methods.Select(method => method.Index));
            return Calls.GetOrAdd((compared, indexes), _ => EmitCalls(compared, methods));
        }
    }

    private static Type EmitRequest(MethodInfo method, IReadOnlyList<ParameterInfo> parameters)
    {
        foreach (var parameter in parameters) Show(parameter.ParameterType);
        var type = Module.DefineType(
            $"Shadowing.Emitted.{method.DeclaringType!.Name}_{method.Name}_{Requests.Count}",
            TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.Class);
        var fields = new List<FieldBuilder>();
        foreach (var parameter in parameters)
        {
            var name = PropertyName(parameter);
            var field = type.DefineField(
                $"<{name}>k__BackingField", parameter.ParameterType, FieldAttributes.Private | FieldAttributes.InitOnly);
            var getter = type.DefineMethod($"get_{name}", Reads, parameter.ParameterType, []);
            var body = getter.GetILGenerator();
            body.Emit(OpCodes.Ldarg_0);
            body.Emit(OpCodes.Ldfld, field);
            body.Emit(OpCodes.Ret);
            type.DefineProperty(name, PropertyAttributes.None, parameter.ParameterType, null).SetGetMethod(getter);
            fields.Add(field);
        }

        var constructor = type.DefineConstructor(
            MethodAttributes.Public, CallingConventions.Standard, [.. parameters.Select(parameter => parameter.ParameterType)]);
        // Serializers look at the names.
        for (var i = 0; i < parameters.Count; i++) constructor.DefineParameter(i + 1, ParameterAttributes.None, parameters[i].Name);
        var make = constructor.GetILGenerator();
        make.Emit(OpCodes.Ldarg_0);
        make.Emit(OpCodes.Call, typeof(object).GetConstructor([])!);
        for (var i = 0; i < fields.Count; i++)
        {
            make.Emit(OpCodes.Ldarg_0);
            make.Emit(OpCodes.Ldarg, (short)(i + 1));
            make.Emit(OpCodes.Stfld, fields[i]);
        }

        make.Emit(OpCodes.Ret);
        return type.CreateType();
    }

    /// <summary>The parameter's name as a property's.</summary>
    public static string PropertyName(ParameterInfo parameter) =>
        parameter.Name is { Length: > 0 } name ? char.ToUpperInvariant(name[0]) + name[1..] : $"Argument{parameter.Position}";

    private static Type EmitCalls(Type compared, IReadOnlyList<InterceptedMethod> methods)
    {
        Show(compared);
        Show(typeof(InterceptedCalls));
        var type = Module.DefineType(
            $"Shadowing.Emitted.{compared.Name}_Calls_{Calls.Count}", TypeAttributes.Public | TypeAttributes.Sealed | TypeAttributes.Class,
            typeof(InterceptedCalls), [compared]);
        var inner = typeof(InterceptedCalls).GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)[0];
        Type[] arguments = [.. inner.GetParameters().Select(parameter => parameter.ParameterType)];
        var constructor = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, arguments);
        var make = constructor.GetILGenerator();
        for (var i = 0; i <= arguments.Length; i++) make.Emit(OpCodes.Ldarg, (short)i);
        make.Emit(OpCodes.Call, inner);
        make.Emit(OpCodes.Ret);
        foreach (var method in methods) EmitMethod(type, method);
        return type.CreateType();
    }

    private static void EmitMethod(TypeBuilder type, InterceptedMethod intercepted)
    {
        var method = intercepted.Method;
        var parameters = method.GetParameters();
        Show(method.ReturnType);
        foreach (var parameter in parameters) Show(parameter.ParameterType);
        var builder = type.DefineMethod(
            $"{method.DeclaringType!.FullName}.{method.Name}", Implements, method.ReturnType,
            [.. parameters.Select(parameter => parameter.ParameterType)]);
        var body = builder.GetILGenerator();
        if (intercepted.IsCompared) EmitComparison(body, intercepted);
        else EmitForward(body, method);
        body.Emit(OpCodes.Ret);
        type.DefineMethodOverride(builder, method);
    }

    private static void EmitForward(ILGenerator body, MethodInfo method)
    {
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Call, typeof(InterceptedCalls).GetProperty(nameof(InterceptedCalls.Control))!.GetMethod!);
        body.Emit(OpCodes.Castclass, method.DeclaringType!);
        for (var i = 1; i <= method.GetParameters().Length; i++) body.Emit(OpCodes.Ldarg, (short)i);
        body.Emit(OpCodes.Callvirt, method);
    }

    private static void EmitComparison(ILGenerator body, InterceptedMethod intercepted)
    {
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Ldc_I4, intercepted.Index);
        foreach (var parameter in intercepted.Parameters) body.Emit(OpCodes.Ldarg, (short)(parameter.Position + 1));
        if (intercepted.IsPacked) body.Emit(OpCodes.Newobj, intercepted.RequestType.GetConstructors()[0]);
        if (intercepted.Cancellation is { } token) body.Emit(OpCodes.Ldarg, (short)(token.Position + 1));
        else
        {
            var none = body.DeclareLocal(typeof(CancellationToken));
            body.Emit(OpCodes.Ldloca, none);
            body.Emit(OpCodes.Initobj, typeof(CancellationToken));
            body.Emit(OpCodes.Ldloc, none);
        }

        var run = typeof(InterceptedCalls).GetMethod(nameof(InterceptedCalls.RunAsync))!;
        body.Emit(OpCodes.Call, run.MakeGenericMethod(intercepted.RequestType, intercepted.ResultType));
        var returned = intercepted.Method.ReturnType;
        if (!returned.IsValueType) return;
        // A ValueTask over the task that was run.
        var task = returned.IsGenericType ? typeof(Task<>).MakeGenericType(intercepted.ResultType) : typeof(Task);
        body.Emit(OpCodes.Newobj, returned.GetConstructor([task])!);
    }

    /// <summary>Lets emitted code use the types of an assembly that are not public.</summary>
    private static void Show(Type type)
    {
        foreach (var argument in type.IsGenericType ? type.GetGenericArguments() : []) Show(argument);
        if (type.HasElementType) Show(type.GetElementType()!);
        if (type.Assembly.GetName().Name is { } name && Visible.Add(name))
            Assembly.SetCustomAttribute(new CustomAttributeBuilder(Ignores, [name]));
    }

    /// <summary>The runtime knows the attribute by its name; no library declares it.</summary>
    private static ConstructorInfo DefineIgnoresAccessChecks()
    {
        var attribute = Module.DefineType(
            "System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.Public | TypeAttributes.Class,
            typeof(Attribute));
        var name = attribute.DefineField("_name", typeof(string), FieldAttributes.Private);
        var constructor = attribute.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]);
        var make = constructor.GetILGenerator();
        make.Emit(OpCodes.Ldarg_0);
        make.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [])!);
        make.Emit(OpCodes.Ldarg_0);
        make.Emit(OpCodes.Ldarg_1);
        make.Emit(OpCodes.Stfld, name);
        make.Emit(OpCodes.Ret);
        var getter = attribute.DefineMethod("get_AssemblyName", Reads, typeof(string), []);
        var read = getter.GetILGenerator();
        read.Emit(OpCodes.Ldarg_0);
        read.Emit(OpCodes.Ldfld, name);
        read.Emit(OpCodes.Ret);
        attribute.DefineProperty("AssemblyName", PropertyAttributes.None, typeof(string), null).SetGetMethod(getter);
        return attribute.CreateType().GetConstructor([typeof(string)])!;
    }
}
