using System.Runtime.CompilerServices;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>One middleware of an application's pipeline.</summary>
/// <param name="Name">What a message calls it.</param>
/// <param name="Type">Its type. Of a lambda it is the type that the compiler has made.</param>
/// <param name="Middleware">The object; nothing if each request makes one (<c>IMiddleware</c>).</param>
internal sealed record PipelineLink(string Name, Type Type, object? Middleware)
{
    /// <summary>True if its code is Microsoft's: of the shared framework, or of a package.</summary>
    public bool IsMicrosofts => IsOfMicrosoft(Type);

    /// <summary>The middleware of a class.</summary>
    public static PipelineLink Of(Type type, object? middleware) => new(
        IsMadeByCompiler(type) ? NameOfLambda(type) : NameOf(type), type, middleware);

    /// <summary>The middleware that the application has passed to <c>Use</c> as a lambda or a method.</summary>
    public static PipelineLink OfLambda(Delegate lambda)
    {
        var type = lambda.Method.DeclaringType ?? lambda.GetType();
        return new(NameOfLambda(type), type, lambda.Target);
    }

    /// <summary>True of a type that the compiler makes for what a lambda captures.</summary>
    public static bool IsMadeByCompiler(Type type) =>
        type.Name.StartsWith('<') && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    public static bool IsOfMicrosoft(Type type) =>
        type.Assembly.GetName().Name is { } assembly
        && (assembly.StartsWith("Microsoft.", StringComparison.Ordinal)
            || assembly.StartsWith("System.", StringComparison.Ordinal));

    /// <summary>The type in whose source a type that the compiler has made stands.</summary>
    public static Type Outermost(Type type)
    {
        while (IsMadeByCompiler(type) && type.DeclaringType is { } declaring)
        {
            type = declaring;
        }

        return type;
    }

    private static string NameOf(Type type) => IsOfMicrosoft(type) ? type.Name : type.FullName ?? type.Name;

    private static string NameOfLambda(Type type)
    {
        const string Extensions = "Extensions";
        var outermost = Outermost(type);
        return !IsOfMicrosoft(outermost) ? $"a lambda of {NameOf(outermost)}"
            : outermost.Name.EndsWith(Extensions, StringComparison.Ordinal) ? outermost.Name[..^Extensions.Length]
            : outermost.Name;
    }
}
