using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Makes native methods of endpoints. Any thread.</summary>
internal sealed class NativeMethods(IServiceProvider services)
{
    private readonly ConcurrentDictionary<Type, IGeneratedMethods> _byService = [];

    /// <summary>Makes the native method of an endpoint.</summary>
    /// <param name="endPoint">The endpoint.</param>
    /// <param name="metadata">The gRPC method that the endpoint stands for.</param>
    /// <param name="whyNot">Why there is none.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "The metadata keeps the service's members.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Not where no code can be made at run time.")]
    public NativeMethod? TryCreate(Endpoint endPoint, GrpcMethodMetadata metadata, out string? whyNot)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            whyNot = "the program was published without the compiler that native methods need (PublishAot)";
            return null;
        }

        if (!_byService.TryGetValue(metadata.ServiceType, out var methods))
        {
            // If two threads make them, either will do.
            methods = (IGeneratedMethods)Activator.CreateInstance(
                typeof(GeneratedMethods<>).MakeGenericType(metadata.ServiceType), services)!;
            _byService[metadata.ServiceType] = methods;
        }

        var method = methods.Find(metadata.Method, endPoint);
        whyNot = method is null ? "its method is not bound by gRPC's generated code alone" : null;
        return method;
    }
}
