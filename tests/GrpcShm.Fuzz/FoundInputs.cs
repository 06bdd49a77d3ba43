using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;

namespace GrpcShm.Fuzz;

/// <summary>
/// A directory for inputs that cause a failure. The current input is in a mapped file, which the kernel keeps if the
/// process dies.
/// </summary>
internal sealed unsafe class FoundInputs : IDisposable
{
    private const int LengthSize = sizeof(int);
    private const int MostFound = 20;

    private readonly HashSet<string> _saved = [];
    private readonly string _directory;
    private readonly string _target;
    private readonly string _currentPath;
    private readonly int _maxLength;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _current;

    public FoundInputs(string directory, IFuzzTarget target)
    {
        _directory = Path.Join(directory, target.Name);
        _target = target.Name;
        _maxLength = target.MaxLength;
        Directory.CreateDirectory(_directory);
        _currentPath = Path.Join(_directory, "current");
        SaveLastOfKilled();
        _file = MemoryMappedFile.CreateFromFile(_currentPath, FileMode.Create, null, LengthSize + _maxLength);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _current);
    }

    /// <summary>The number of different failing inputs that this run has found.</summary>
    public int Count => _saved.Count;

    /// <summary>Notes the input that is about to run.</summary>
    public void Begin(ReadOnlySpan<byte> input)
    {
        *(int*)_current = input.Length;
        input.CopyTo(new Span<byte>(_current + LengthSize, _maxLength));
    }

    /// <summary>True if there are so many that the run should end, so that they can be repaired first.</summary>
    public bool IsEnough => Count >= MostFound;

    public void Save(ReadOnlySpan<byte> input, Exception failure)
    {
        var path = Path.Join(_directory, NameOf(input));
        if (!_saved.Add(path))
        {
            return;
        }

        File.WriteAllBytes(path, input);
        File.WriteAllText(path + ".txt", failure.ToString());
        Console.Error.WriteLine($"{_target}: {failure.Message} ({path})");
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        File.Delete(_currentPath);
    }

    public static string NameOf(ReadOnlySpan<byte> input) =>
        Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8)) + ".bin";

    private void SaveLastOfKilled()
    {
        if (!File.Exists(_currentPath))
        {
            return;
        }

        var bytes = File.ReadAllBytes(_currentPath);
        if (bytes.Length > LengthSize
            && BitConverter.ToInt32(bytes) is var length
            && length >= 0
            && length <= bytes.Length - LengthSize)
        {
            var input = bytes.AsSpan(LengthSize, length);
            var path = Path.Join(_directory, NameOf(input));
            File.WriteAllBytes(path, input);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{_target}: an earlier run did not survive its input, which is now in {path}."));
        }
    }
}
