namespace GrpcShm.Loans.Tests.Calls;

/// <summary>How calls come to the server.</summary>
public enum Way
{
    /// <summary>In direct mode, framed and dispatched natively on both sides.</summary>
    Native,

    /// <summary>In direct mode, through grpc-dotnet on both sides.</summary>
    Direct,

    /// <summary>Over shared memory in HTTP/2 mode.</summary>
    Http2,

    /// <summary>Over a Unix socket.</summary>
    Socket,
}
