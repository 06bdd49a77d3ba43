using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A gRPC method whose calls are dispatched natively.</summary>
/// <param name="Path">The path of its calls.</param>
/// <param name="Endpoint">Its endpoint.</param>
/// <param name="Metadata">The service's type, and the method's description.</param>
/// <param name="Method">What <see cref="NativeServices.MakeMethod"/> has made.</param>
internal sealed record NativeEndpoint(
    string Path, RouteEndpoint Endpoint, GrpcMethodMetadata Metadata, NativeMethod? Method = null);
