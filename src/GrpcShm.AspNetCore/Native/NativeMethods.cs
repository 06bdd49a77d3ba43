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
    private const string OtherSettings =
        "gRPC's handler of its endpoint has other options, interceptors or services than the host has";

    // The type is gRPC's own. Where a later version has another one, all calls take the full pipeline.
    private const string HandlerOptions = "Grpc.Shared.Server.MethodOptions";

    private static readonly Dictionary<Type, Type> ByDelegate = new()
    {
        [typeof(UnaryServerMethod<,,>)] = typeof(UnaryMethod<,,>),
        [typeof(ClientStreamingServerMethod<,,>)] = typeof(ClientStreamingMethod<,,>),
        [typeof(ServerStreamingServerMethod<,,>)] = typeof(ServerStreamingMethod<,,>),
        [typeof(DuplexStreamingServerMethod<,,>)] = typeof(DuplexStreamingMethod<,,>),
    };

    private readonly ConcurrentDictionary<Type, IServiceBinding> _bindings = [];

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

        if (FindInvoker(endPoint, metadata) is not { } parts || FindBound(parts, metadata) is not { } bound)
        {
            whyNot = NotHeld;
            return null;
        }

        var binding = BindingOf(metadata.ServiceType);
        whyNot = HasSettingsOf(parts, binding) ? null : OtherSettings;
        return whyNot is null ? Create(endPoint, metadata, bound, binding) : null;
    }

    /// <summary>
    /// Finds what the object holds by which gRPC's own handler of an endpoint calls the method; nothing if that object
    /// is not known.
    /// </summary>
    private static List<object>? FindInvoker(Endpoint endPoint, GrpcMethodMetadata metadata)
    {
        if (endPoint.RequestDelegate?.Target is not { } handler)
        {
            return null;
        }

        var invokers = ObjectFields.Of(handler)
            .Where(static field => field.FieldType.Assembly == typeof(GrpcMethodMetadata).Assembly)
            .Select(field => field.GetValue(handler))
            .OfType<object>()
            .Distinct<object>(ReferenceEqualityComparer.Instance)
            .Select(static invoker => ObjectFields.Of(invoker)
                .Select(field => field.GetValue(invoker))
                .OfType<object>()
                .ToList())
            .Where(parts => parts.Exists(part => ReferenceEquals(part, metadata.Method)))
            .ToList();

        return invokers is [var only] ? only : null;
    }

    /// <summary>Finds the delegate that is called; nothing if it is not known.</summary>
    private static Delegate? FindBound(List<object> parts, GrpcMethodMetadata metadata)
    {
        var bound = parts
            .OfType<Delegate>()
            .Where(static value => value.GetType() is { IsGenericType: true } type
                && ByDelegate.ContainsKey(type.GetGenericTypeDefinition()))
            .ToList();

        return bound is [var only] && only.GetType().GetGenericArguments()[0] == metadata.ServiceType ? only : null;
    }

    /// <summary>
    /// True if native calls have the settings that gRPC's handler has. It has taken them when its service was mapped,
    /// from the container of whoever mapped it: an interceptor may be there that the host does not know, or no more.
    /// </summary>
    private static bool HasSettingsOf(List<object> parts, IServiceBinding binding) =>
        parts.Exists(part => ReferenceEquals(part, binding.GrpcActivator))
        && parts.FindAll(static part => part.GetType().FullName == HandlerOptions) is [var options]
        && binding.Settings.AreThoseOf(options);

    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ServiceBinding<>))]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "gRPC's handler has the same types.")]
    [UnconditionalSuppressMessage("Trimming", "IL2071", Justification = "The members are kept for gRPC's handler.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Not where no code can be made at run time.")]
    private IServiceBinding BindingOf(Type service)
    {
        // If two threads make the binding, either will do.
        if (!_bindings.TryGetValue(service, out var binding))
        {
            binding = (IServiceBinding)CreateInstance(typeof(ServiceBinding<>).MakeGenericType(service), services);
            _bindings[service] = binding;
        }

        return binding;
    }

    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(UnaryMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ClientStreamingMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(ServerStreamingMethod<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(DuplexStreamingMethod<,,>))]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "gRPC's handler has the same types.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Not where no code can be made at run time.")]
    private static NativeMethod Create(
        Endpoint endPoint, GrpcMethodMetadata metadata, Delegate bound, IServiceBinding binding)
    {
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
