using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcShm.Transport.Tests.AspNetCore;

/// <summary>What tests of the transport need of a host: nothing that is served.</summary>
internal static class TestApplication
{
    public static DirectApplication Create() =>
        new(Options.Create(new SharedMemoryTransportOptions()), Options.Create(new KestrelServerOptions()), NullLoggerFactory.Instance);
}
