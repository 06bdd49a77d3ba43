using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// Finds the handlers of a service that gRPC's generated code binds: that code is asked for its methods, and each is
/// the method of the service's type that overrides the one of the same name, as in grpc-dotnet.
/// </summary>
internal sealed class GeneratedMethods<[DynamicallyAccessedMembers(ServiceMembers.All)] TService>
    : ServiceBinderBase, IGeneratedMethods
    where TService : class
{
    private readonly ServiceBinding<TService> _binding;
    private readonly Dictionary<IMethod, Func<Endpoint, NativeMethod?>> _methods = [];
    private readonly Type? _base;

    public GeneratedMethods(IServiceProvider services)
    {
        _binding = new ServiceBinding<TService>(services);
        if (FindBinder() is { } binder)
        {
            _base = binder.GetParameters()[1].ParameterType;
            binder.Invoke(null, [this, null]);
        }
    }

    /// <inheritdoc/>
    public NativeMethod? Find(IMethod method, Endpoint endPoint) =>
        _methods.TryGetValue(method, out var create) ? create(endPoint) : null;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        _methods[method] = endPoint =>
            FindHandler<UnaryServerMethod<TService, TRequest, TResponse>>(
                endPoint, method.Name, typeof(TRequest), typeof(ServerCallContext)) is { } own
                ? new UnaryMethod<TService, TRequest, TResponse>(method, own, endPoint, _binding)
                : null;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        _methods[method] = endPoint =>
            FindHandler<ClientStreamingServerMethod<TService, TRequest, TResponse>>(
                endPoint, method.Name, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext)) is { } own
                ? new ClientStreamingMethod<TService, TRequest, TResponse>(method, own, endPoint, _binding)
                : null;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        _methods[method] = endPoint =>
            FindHandler<ServerStreamingServerMethod<TService, TRequest, TResponse>>(
                endPoint,
                method.Name,
                typeof(TRequest),
                typeof(IServerStreamWriter<TResponse>),
                typeof(ServerCallContext)) is { } own
                ? new ServerStreamingMethod<TService, TRequest, TResponse>(method, own, endPoint, _binding)
                : null;

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        _methods[method] = endPoint =>
            FindHandler<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(
                endPoint,
                method.Name,
                typeof(IAsyncStreamReader<TRequest>),
                typeof(IServerStreamWriter<TResponse>),
                typeof(ServerCallContext)) is { } own
                ? new DuplexStreamingMethod<TService, TRequest, TResponse>(method, own, endPoint, _binding)
                : null;

    /// <summary>Finds the method of the generated code that says which methods a service has.</summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "The attribute keeps the method that it names, see gRPC's own.")]
    private static MethodInfo? FindBinder()
    {
        for (var type = typeof(TService); type is not null; type = type.BaseType!)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } attribute)
            {
                return attribute.BindType
                    .GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
                    .FirstOrDefault(method => method.Name == attribute.BindMethodName
                        && method.GetParameters() is [{ ParameterType: var binder }, { ParameterType: var service }]
                        && binder == typeof(ServiceBinderBase)
                        && service.IsAssignableFrom(typeof(TService)));
            }
        }

        return null;
    }

    [UnconditionalSuppressMessage(
        "Trimming", "IL2070", Justification = "The members of a service's base types are kept with its own.")]
    private TDelegate? FindHandler<TDelegate>(Endpoint endPoint, string name, params Type[] parameters)
        where TDelegate : Delegate
    {
        for (var type = typeof(TService);
            type?.GetMethod(name, BindingFlags.Public | BindingFlags.Instance, parameters) is { } method;
            type = type.BaseType)
        {
            // A method that only has the same name is passed over.
            if (method.IsVirtual && method.GetBaseDefinition().DeclaringType == _base)
            {
                var handler = method.CreateDelegate<TDelegate>();
                return IsHandlerOf(endPoint, handler) ? handler : null;
            }
        }

        return null;
    }

    /// <summary>
    /// True if gRPC's own handler of an endpoint calls the same method. Another provider of methods may have bound the
    /// method of the generated code to a handler of its own, which checks something first.
    /// </summary>
    private static bool IsHandlerOf<TDelegate>(Endpoint endPoint, TDelegate method)
        where TDelegate : Delegate
    {
        if (endPoint.RequestDelegate?.Target is not { } handler)
        {
            return false;
        }

        var called = ObjectFields.Of(handler)
            .Where(static field => field.FieldType.Assembly == typeof(GrpcMethodMetadata).Assembly)
            .Select(field => field.GetValue(handler))
            .OfType<object>()
            .Distinct(ReferenceEqualityComparer.Instance)
            .SelectMany(static invoker => ObjectFields.ValuesOf<TDelegate>(invoker!))
            .ToList();

        // A delegate without a target is the method itself, not a closure around it.
        return called is [{ HasSingleTarget: true, Target: null } only]
            && only.Method.MethodHandle == method.Method.MethodHandle;
    }
}
