using Grpc.AspNetCore.Server;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A gRPC method that has asked for native dispatch and does not get it.</summary>
/// <param name="Metadata">The service's type, and the method's description.</param>
/// <param name="Reason">Why its calls take the full pipeline.</param>
internal sealed record NativeRefusal(GrpcMethodMetadata Metadata, string Reason);
