using Grpc.Core;
using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Native;

/// <summary>What is the same for all calls of one method.</summary>
/// <param name="method">The method.</param>
/// <param name="target">The target of its calls.</param>
/// <param name="scope">What loggers see around the lines of its calls.</param>
/// <param name="isCarried">True if calls of the method are framed here, and not by grpc-dotnet.</param>
internal sealed class NativeMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, CallTarget target, CallScope scope, bool isCarried)
    where TRequest : class
    where TResponse : class
{
    public Method<TRequest, TResponse> Method => method;

    /// <summary>True if the messages of the response are loans.</summary>
    public static bool AnswersWithLoans { get; } = typeof(TResponse).IsAssignableTo(typeof(ICallBound));

    public CallTarget Target => target;

    public CallScope Scope => scope;

    public bool IsCarried => isCarried;

    public Action<TRequest, SerializationContext> Serialize { get; } = method.RequestMarshaller.ContextualSerializer;

    public Func<DeserializationContext, TResponse> Deserialize { get; } =
        method.ResponseMarshaller.ContextualDeserializer;
}
