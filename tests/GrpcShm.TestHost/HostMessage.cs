using System.Text.Json;

namespace GrpcShm.TestHost;

/// <summary>One line of JSON on standard output, as a message to the test.</summary>
/// <param name="Kind">The event.</param>
/// <param name="ProcessId">The sender.</param>
public sealed record HostMessage(string Kind, int ProcessId)
{
    /// <summary>The process serves, or the scenario has reached the point at which it waits.</summary>
    public const string Ready = "ready";

    /// <summary>A server that waited for the order to listen now listens.</summary>
    public const string Listens = "listens";

    /// <summary>A scenario has finished one more round.</summary>
    public const string Round = "round";

    /// <summary>
    /// The prefix of a line that says that the process has reached the step at which it must end itself. The step and
    /// the time follow, see <see cref="System.Diagnostics.Stopwatch"/>.
    /// </summary>
    public const string Dying = "dying ";

    /// <summary>A command from standard input has been carried out.</summary>
    public const string Done = "done";

    /// <summary>The process could not carry out its command, and ends.</summary>
    public const string Failed = "failed";

    /// <summary>The process has ended in order; no message follows.</summary>
    public const string Stopped = "stopped";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The addresses of the server, as they were given, but with the bound ports.</summary>
    public IReadOnlyList<string> Listening { get; init; } = [];

    /// <summary>The addresses that the server itself reports, also those from the configuration.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>The SHA-256 of the server's certificate, if it has one.</summary>
    public string? CertificateFingerprint { get; init; }

    /// <summary>The number that was asked for.</summary>
    public long Number { get; init; }

    /// <summary>Types and messages of an exception and its inner ones, outermost first.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>The message that says how an exception ended this process.</summary>
    public static HostMessage FromException(Exception exception)
    {
        var errors = new List<string>();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            errors.Add($"{e.GetType().Name}: {e.Message}");
        }

        return new HostMessage(Failed, Environment.ProcessId) { Errors = errors };
    }

    /// <summary>
    /// Reads a line that <see cref="Write"/> wrote. A line that is not JSON is a kind without further data.
    /// </summary>
    public static HostMessage Parse(string line) =>
        line.StartsWith('{') ? JsonSerializer.Deserialize<HostMessage>(line, Json)! : new HostMessage(line, 0);

    /// <summary>Writes the message to standard output.</summary>
    public void Write()
    {
        Console.Out.WriteLine(Kind == Stopped ? Stopped : JsonSerializer.Serialize(this, Json));
        Console.Out.Flush();
    }
}
