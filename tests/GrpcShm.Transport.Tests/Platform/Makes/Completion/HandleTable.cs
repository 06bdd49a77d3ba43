namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>
/// The objects to which the handles of this make refer, by number, as a system keeps them: an object goes with its last
/// handle.
/// </summary>
internal static class HandleTable
{
    private static readonly Dictionary<long, Entry> Entries = [];
    private static long s_last;

    /// <summary>The number of objects.</summary>
    public static int Count
    {
        get
        {
            lock (Entries)
            {
                return Entries.Count;
            }
        }
    }

    public static CompletionHandle Add(IDisposable item)
    {
        lock (Entries)
        {
            Entries.Add(++s_last, new Entry(item));
            return new CompletionHandle(s_last);
        }
    }

    public static IDisposable Find(CompletionHandle handle)
    {
        lock (Entries)
        {
            return Entries[handle.Number].Item;
        }
    }

    /// <summary>Counts another handle, which is on its way to a peer.</summary>
    public static void Duplicate(long number)
    {
        lock (Entries)
        {
            Entries[number].Handles++;
        }
    }

    public static void Close(long number)
    {
        Entry entry;
        lock (Entries)
        {
            entry = Entries[number];
            if (--entry.Handles > 0)
            {
                return;
            }

            Entries.Remove(number);
        }

        entry.Item.Dispose();
    }

    private sealed class Entry(IDisposable item)
    {
        public IDisposable Item => item;

        public int Handles { get; set; } = 1;
    }
}
