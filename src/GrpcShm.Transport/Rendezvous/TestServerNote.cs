namespace GrpcShm.Transport.Rendezvous;

/// <summary>
/// What the message of a missing server adds in a process that tests a web application. Such a process often has the
/// server in it, as an object of WebApplicationFactory that listens nowhere: the factory makes its host late, and
/// unless it is told otherwise with TestServer instead of Kestrel. The server's log says so, but a runner of tests
/// rarely shows this log.
/// </summary>
internal static class TestServerNote
{
    // This library has no reference to them. A process that uses WebApplicationFactory or TestServer has loaded them.
    private static readonly string[] Assemblies =
        ["Microsoft.AspNetCore.Mvc.Testing,", "Microsoft.AspNetCore.TestHost,"];

    /// <summary>A sentence with a blank before it, or nothing.</summary>
    public static string Find() => Array.Exists(AppDomain.CurrentDomain.GetAssemblies(), static assembly =>
        assembly.FullName is { } name
        && Array.Exists(Assemblies, known => name.StartsWith(known, StringComparison.Ordinal)))
            ? " If the server is that of a WebApplicationFactory in this process: it listens after UseKestrel() and "
                + "StartServer() of the factory, and TestServer never listens."
            : "";
}
