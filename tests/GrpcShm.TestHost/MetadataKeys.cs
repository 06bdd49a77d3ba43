namespace GrpcShm.TestHost;

/// <summary>The metadata that client and server of a test exchange.</summary>
public static class MetadataKeys
{
    /// <summary>Names a call, so that <c>Control.AwaitCall</c> can watch it.</summary>
    public const string CallId = "x-call-id";

    /// <summary>Holds a call before it reads its first message, until <c>Control.OpenGate</c>.</summary>
    public const string Gate = "x-gate";

    /// <summary>Entries with this prefix come back as response headers.</summary>
    public const string EchoInitial = "x-echo-initial";

    /// <summary>Entries with this prefix come back as trailers.</summary>
    public const string EchoTrailing = "x-echo-trailing";

    /// <summary>Asks the server's interceptor to answer by <see cref="ServerStamp"/>.</summary>
    public const string ClientStamp = "x-client-interceptor";

    /// <summary>The client's stamp in the response headers, and the method's name in the trailers.</summary>
    public const string ServerStamp = "x-server-interceptor";

    /// <summary>Asks Grpc.Net, on either side, to compress the messages of one call.</summary>
    public const string RequestCompression = "grpc-internal-encoding-request";
}
