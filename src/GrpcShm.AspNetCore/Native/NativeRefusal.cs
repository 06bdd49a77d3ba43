using Grpc.AspNetCore.Server;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A gRPC method that is not dispatched natively.</summary>
/// <param name="Metadata">The service's type, and the method's description.</param>
/// <param name="Reason">Why its calls take the full pipeline.</param>
/// <param name="IsAsked">True if the application has asked for native dispatch.</param>
internal sealed record NativeRefusal(GrpcMethodMetadata Metadata, string Reason, bool IsAsked);
