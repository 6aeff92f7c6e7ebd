//! Room: `sync`, locks that stay usable after a thread has panicked.
//! In: mutexes.
//! Out: their guards.
//! May use: nothing.
//! Must not: know what is locked.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

const STEP: Duration = Duration::from_millis(1);

/// Locks. A poisoned lock is taken, too: it means that a thread panicked while it held the lock, and what this library
/// guards is valid after every step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks; `None` if another thread keeps the lock for longer than `patience`.
pub fn lock_within<T>(patience: Duration, mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) if waited >= patience => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(STEP),
        }
        waited += STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    #[test]
    fn a_lock_is_waited_for_and_not_for_ever() {
        let mutex = Arc::new(Mutex::new(()));
        let held = lock(&mutex);
        assert!(lock_within(STEP, &mutex).is_none());
        let (sender, begun) = channel();
        let theirs = Arc::clone(&mutex);
        let waiting = std::thread::spawn(move || {
            sender.send(()).unwrap();
            lock_within(Duration::from_secs(60), &theirs).is_some()
        });
        begun.recv().unwrap();
        drop(held);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_thread_that_died_with_a_lock_leaves_it_usable() {
        let mutex = Mutex::new(1);
        std::thread::scope(|scope| {
            let died = scope.spawn(|| {
                let _held = mutex.lock();
                std::panic::resume_unwind(Box::new(()));
            });
            died.join().unwrap_err();
        });
        assert!(mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
        assert_eq!(lock_within(STEP, &mutex).map(|value| *value), Some(1));
    }
}
