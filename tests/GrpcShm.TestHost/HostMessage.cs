using System.Text.Json;

namespace GrpcShm.TestHost;

/// <summary>One line of JSON on standard output, by which this process talks to its test.</summary>
/// <param name="Kind">What has happened.</param>
/// <param name="ProcessId">The sender.</param>
public sealed record HostMessage(string Kind, int ProcessId)
{
    /// <summary>The process serves, or the scenario has come to where it waits.</summary>
    public const string Ready = "ready";

    /// <summary>A server that was started to wait for that listens now.</summary>
    public const string Listens = "listens";

    /// <summary>A scenario has come round once more.</summary>
    public const string Round = "round";

    /// <summary>
    /// What a line begins with that says that the process has come to the step at which it was to end itself; the step
    /// and the time follow, see <see cref="System.Diagnostics.Stopwatch"/>.
    /// </summary>
    public const string Dying = "dying ";

    /// <summary>A command from standard input has been carried out.</summary>
    public const string Done = "done";

    /// <summary>The process could not do what it was told, and ends.</summary>
    public const string Failed = "failed";

    /// <summary>The process has ended gracefully; nothing comes after it.</summary>
    public const string Stopped = "stopped";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The addresses listened on, as they were given, but with the ports that were bound.</summary>
    public IReadOnlyList<string> Listening { get; init; } = [];

    /// <summary>What the server itself reports to listen on, including what came from configuration.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>The SHA-256 of the server's certificate, if it has one.</summary>
    public string? CertificateFingerprint { get; init; }

    /// <summary>The answer to a question for a number.</summary>
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

    /// <summary>Reads a line that <see cref="Write"/> wrote; what is not JSON is just a kind.</summary>
    public static HostMessage Parse(string line) =>
        line.StartsWith('{') ? JsonSerializer.Deserialize<HostMessage>(line, Json)! : new HostMessage(line, 0);

    /// <summary>Writes the message to standard output.</summary>
    public void Write()
    {
        Console.Out.WriteLine(Kind == Stopped ? Stopped : JsonSerializer.Serialize(this, Json));
        Console.Out.Flush();
    }
}
