using System.Globalization;
using System.Text;

namespace GrpcShm.Samples.Tests.FirstWords;

/// <summary>
/// The console of a sample's process. When the sample writes for the first time, this notes in a file how many
/// processes the sample has started by then, and the words.
/// </summary>
internal sealed class FirstWordsWriter(TextWriter console, string file) : TextWriter(CultureInfo.InvariantCulture)
{
    public const string FileVariable = "GRPCSHM_FIRST_WORDS";
    public const string HooksVariable = "DOTNET_STARTUP_HOOKS";

    private static int _written;

    public override Encoding Encoding => console.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value) && Interlocked.Exchange(ref _written, 1) == 0)
        {
            var children = ChildProcesses.Of(Environment.ProcessId).Count;
            File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"{children} {value}"));
        }

        console.Write(value);
    }

    public override void WriteLine(string? value) => Write(value + Environment.NewLine);

    public override void Flush() => console.Flush();
}
