using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Makes what serves the calls of a method.</summary>
/// <param name="endpoint">The method's endpoint.</param>
/// <param name="metadata">The service's type, and the method's description.</param>
/// <param name="whyNot">Why it cannot be made, if it cannot.</param>
/// <returns>The method; nothing if it cannot be made.</returns>
internal delegate NativeMethod? NativeMethodMaker(
    RouteEndpoint endpoint, GrpcMethodMetadata metadata, out string? whyNot);
