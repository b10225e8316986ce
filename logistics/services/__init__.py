"""What clerks, officers, couriers and the clock do with parcels: one verb each."""
