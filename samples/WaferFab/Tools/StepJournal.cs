using System.Globalization;
using System.Text;

namespace Samples.WaferFab.Tools;

/// <summary>
/// The steps that a tool has done, in a file that survives its process. An etched wafer must not be etched again only
/// because the tool died before it could report the end of the step.
/// </summary>
internal sealed class StepJournal : IDisposable
{
    private readonly HashSet<(int Wafer, int Step)> _done;
    private readonly FileStream _file;

    public StepJournal(string path)
    {
        _done = [.. Read(path)];
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    public int Count => _done.Count;

    /// <summary>The entries of a journal, in their order.</summary>
    public static IReadOnlyList<(int Wafer, int Step)> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        return [.. File.ReadLines(path).Select(Parse)];
    }

    public bool Contains(int wafer, int step) => _done.Contains((wafer, step));

    public void Add(int wafer, int step)
    {
        // This is a single write without a buffer. So the system has the whole entry before the step is reported, or
        // none of it. A tool that must survive a power cut would also flush it to the disk.
        _file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{wafer} {step}\n")));
        _done.Add((wafer, step));
    }

    public void Dispose() => _file.Dispose();

    private static (int Wafer, int Step) Parse(string line)
    {
        var parts = line.Split(' ');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
