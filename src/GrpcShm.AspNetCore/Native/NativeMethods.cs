using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// Makes native methods of endpoints. gRPC's handler of an endpoint holds the delegate that a provider of methods has
/// bound: that of gRPC for generated code, that of protobuf-net.Grpc for code-first services, or one of the
/// application's own. A native method calls this very delegate, so it does what the handler does. Any thread.
/// </summary>
internal sealed class NativeMethods(IServiceProvider services)
{
    private const string NotHeld = "it is not known what gRPC's handler of its endpoint calls";

    private static readonly Dictionary<Type, Type> ByDelegate = new()
    {
        [typeof(UnaryServerMethod<,,>)] = typeof(UnaryMethod<,,>),
        [typeof(ClientStreamingServerMethod<,,>)] = typeof(ClientStreamingMethod<,,>),
        [typeof(ServerStreamingServerMethod<,,>)] = typeof(ServerStreamingMethod<,,>),
        [typeof(DuplexStreamingServerMethod<,,>)] = typeof(DuplexStreamingMethod<,,>),
    };

    private readonly ConcurrentDictionary<Type, object> _bindings = [];

    /// <summary>Makes the native method of an endpoint.</summary>
    /// <param name="endPoint">The endpoint, which gRPC's own handler runs.</param>
    /// <param name="metadata">The gRPC method that the endpoint stands for.</param>
    /// <param name="whyNot">Why there is none.</param>
    public NativeMethod? TryCreate(Endpoint endPoint, GrpcMethodMetadata metadata, out string? whyNot)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            whyNot = "the program was published without the compiler that native methods need (PublishAot)";
            return null;
        }

        var bound = FindBound(endPoint, metadata);
        whyNot = bound is null ? NotHeld : null;
        return bound is null ? null : Create(endPoint, metadata, bound);
    }

    /// <summary>Finds the delegate that gRPC's own handler of an endpoint calls; nothing if it is not known.</summary>
    private static Delegate? FindBound(Endpoint endPoint, GrpcMethodMetadata metadata)
    {
        if (endPoint.RequestDelegate?.Target is not { } handler)
        {
            return null;
        }

        var bound = ObjectFields.Of(handler)
            .Where(static field => field.FieldType.Assembly == typeof(GrpcMethodMetadata).Assembly)
            .Select(field => field.GetValue(handler))
            .OfType<object>()
            .Distinct(ReferenceEqualityComparer.Instance)
            .Where(invoker => IsOf(invoker!, metadata))
            .SelectMany(static invoker => ObjectFields.Of(invoker!).Select(field => field.GetValue(invoker)))
            .OfType<Delegate>()
            .Where(static value => value.GetType() is { IsGenericType: true } type
                && ByDelegate.ContainsKey(type.GetGenericTypeDefinition()))
            .ToList();

        return bound is [var only] && only.GetType().GetGenericArguments()[0] == metadata.ServiceType ? only : null;
    }

    /// <summary>True if an object of gRPC's handler is for the method that the endpoint names.</summary>
    private static bool IsOf(object invoker, GrpcMethodMetadata metadata) =>
        ObjectFields.Of(invoker).Any(field => ReferenceEquals(field.GetValue(invoker), metadata.Method));

    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ServiceBinding<>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(UnaryMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ClientStreamingMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ServerStreamingMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(DuplexStreamingMethod<,,>))]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "gRPC's handler has the same types.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Not where no code can be made at run time.")]
    private NativeMethod Create(Endpoint endPoint, GrpcMethodMetadata metadata, Delegate bound)
    {
        // If two threads make the binding, either will do.
        if (!_bindings.TryGetValue(metadata.ServiceType, out var binding))
        {
            binding = CreateInstance(typeof(ServiceBinding<>).MakeGenericType(metadata.ServiceType), services);
            _bindings[metadata.ServiceType] = binding;
        }

        var type = bound.GetType();
        return (NativeMethod)CreateInstance(
            ByDelegate[type.GetGenericTypeDefinition()].MakeGenericType(type.GetGenericArguments()),
            metadata.Method,
            bound,
            endPoint,
            binding);
    }

    // What a constructor throws, it throws to the caller as it is.
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Create keeps the constructors.")]
    private static object CreateInstance(Type type, params object[] arguments) =>
        type.GetConstructors()[0].Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
}
